import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { JoinGrant, JoinRequest, Mesh } from '../../src/shell/mesh.ts';

type Listener<Args extends readonly unknown[]> = (...args: Args) => void;

/**
 * A network in memory: every peer that was added is a member and connected, until `cut` parts two of them. Messages
 * arrive in a later turn of the event loop, in order, as on a real network; `cut` also ends the channels between the two.
 */
export class MemoryNetwork {
  readonly peers = new Map<PeerId, MemoryMesh>();
  readonly #cuts = new Set<string>();
  /** Open channels, by the pair of peers between which they are. */
  readonly #channels = new Map<string, Set<Duplex>>();
  /** Decides for each gossip message whether it is lost. */
  loseGossip: (from: PeerId, to: PeerId, topic: string) => boolean = () => false;

  add(name: string): MemoryMesh {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any name is a peer here
    const mesh = new MemoryMesh(this, name as PeerId);
    this.peers.set(mesh.self, mesh);
    for (const other of this.others(mesh.self)) {
      mesh.connectedHandlers.forEach((handler) => handler(other.self));
      other.connectedHandlers.forEach((handler) => handler(mesh.self));
    }
    return mesh;
  }

  others(self: PeerId): readonly MemoryMesh[] {
    return [...this.peers.values()].filter((mesh) => mesh.self !== self && this.canReach(self, mesh.self));
  }

  canReach(a: PeerId, b: PeerId): boolean {
    return this.peers.has(a) && this.peers.has(b) && !this.#cuts.has(pairKey(a, b));
  }

  cut(a: PeerId, b: PeerId): void {
    if (!this.canReach(a, b)) return;
    this.#cuts.add(pairKey(a, b));
    for (const channel of this.#channels.get(pairKey(a, b)) ?? []) channel.destroy();
    this.peers.get(a)?.disconnectedHandlers.forEach((handler) => handler(b));
    this.peers.get(b)?.disconnectedHandlers.forEach((handler) => handler(a));
  }

  /** Ends with the connection that it is on. */
  keep(a: PeerId, b: PeerId, channel: Duplex): void {
    const channels = this.#channels.get(pairKey(a, b)) ?? new Set();
    this.#channels.set(pairKey(a, b), channels.add(channel));
    channel.once('close', () => channels.delete(channel));
  }

  heal(a: PeerId, b: PeerId): void {
    if (!this.#cuts.delete(pairKey(a, b))) return;
    this.peers.get(a)?.connectedHandlers.forEach((handler) => handler(b));
    this.peers.get(b)?.connectedHandlers.forEach((handler) => handler(a));
  }
}

export class MemoryMesh implements Mesh {
  readonly self: PeerId;
  readonly connectedHandlers: Listener<[PeerId]>[] = [];
  readonly disconnectedHandlers: Listener<[PeerId]>[] = [];
  /** Every gossip message that this peer sent, for assertions on size and number. */
  readonly published: { readonly topic: string; readonly data: Uint8Array }[] = [];
  /** Every channel that this peer asked for: what its questions cost. */
  readonly opened: { readonly to: PeerId; readonly service: string }[] = [];
  readonly #network: MemoryNetwork;
  readonly #frameHandlers: Listener<[PeerId, Uint8Array]>[] = [];
  readonly #topics = new Map<string, Set<Listener<[PeerId, Uint8Array]>>>();
  readonly #services = new Map<string, Parameters<Mesh['serve']>[1]>();
  #joinHandler: ((request: JoinRequest) => Promise<JoinGrant>) | null = null;

  constructor(network: MemoryNetwork, self: PeerId) {
    this.#network = network;
    this.self = self;
  }

  addrs(): readonly string[] {
    return [`/memory/${this.self}`];
  }

  setMembers(): void {
    // Everybody added to the network is a member.
  }

  isConnected(peer: PeerId): boolean {
    return this.#network.canReach(this.self, peer);
  }

  connected(): readonly PeerId[] {
    return this.#network.others(this.self).map((mesh) => mesh.self);
  }

  onConnected(handler: Listener<[PeerId]>): void {
    this.connectedHandlers.push(handler);
  }

  onDisconnected(handler: Listener<[PeerId]>): void {
    this.disconnectedHandlers.push(handler);
  }

  send(to: PeerId, frame: Uint8Array): boolean {
    const other = this.#network.peers.get(to);
    if (other === undefined || !this.isConnected(to)) return false;
    setImmediate(() => {
      if (this.isConnected(to)) other.#frameHandlers.forEach((handler) => handler(this.self, frame));
    });
    return true;
  }

  onFrame(handler: Listener<[PeerId, Uint8Array]>): void {
    this.#frameHandlers.push(handler);
  }

  publish(topic: string, data: Uint8Array): void {
    if (data.length > 16 * 1024) throw new Error(`Gossip of ${data.length} bytes on "${topic}" is too large`);
    this.published.push({ topic, data });
    for (const other of this.#network.others(this.self)) {
      if (this.#network.loseGossip(this.self, other.self, topic)) continue;
      setImmediate(() => other.#topics.get(topic)?.forEach((handler) => handler(this.self, data)));
    }
  }

  subscribe(topic: string, handler: Listener<[PeerId, Uint8Array]>): () => void {
    const handlers = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, handlers.add(handler));
    return () => {
      handlers.delete(handler);
    };
  }

  hasSubscribers(topic: string): boolean {
    return this.#network.others(this.self).some((other) => (other.#topics.get(topic)?.size ?? 0) > 0);
  }

  async open(to: PeerId, service: string, signal: AbortSignal): ReturnType<Mesh['open']> {
    signal.throwIfAborted();
    this.opened.push({ to, service });
    const handler = this.#network.peers.get(to)?.service(service);
    if (handler === undefined || !this.isConnected(to)) {
      throw new PlatformError('unavailable', `Cannot open "${service}" of "${to}": not connected`);
    }
    const [ours, theirs] = duplexPair();
    for (const end of [ours, theirs]) this.#network.keep(this.self, to, end);
    setImmediate(() => handler(theirs, this.self));
    return ours;
  }

  serve(service: string, handler: Parameters<Mesh['serve']>[1]): void {
    this.#services.set(service, handler);
  }

  service(name: string): Parameters<Mesh['serve']>[1] | undefined {
    return this.#services.get(name);
  }

  async probePort(): Promise<'open'> {
    return 'open';
  }

  onJoin(handler: (request: JoinRequest) => Promise<JoinGrant>): void {
    this.#joinHandler = handler;
  }

  async join(addrs: readonly string[], request: Omit<JoinRequest, 'peer'>): Promise<JoinGrant> {
    const host = [...this.#network.peers.values()].find((mesh) => addrs.includes(`/memory/${mesh.self}`));
    if (host === undefined || host.#joinHandler === null) {
      throw new PlatformError('unavailable', `Cannot join: nobody answers at ${addrs.join(', ')}`);
    }
    return host.#joinHandler({ ...request, peer: this.self });
  }

  drop(peer: PeerId): void {
    this.#network.cut(this.self, peer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.#network.others(this.self)) this.#network.cut(this.self, other.self);
    this.#network.peers.delete(this.self);
  }
}

function pairKey(a: PeerId, b: PeerId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
