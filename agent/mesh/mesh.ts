import type { Duplex } from 'node:stream';
import type { Connection, PeerInfo } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { JoinGrant, JoinRequest, Mesh } from '../../src/shell/mesh.ts';
import { Tasks } from '../lib/tasks.ts';
import { abortQuietly } from './abort.ts';
import { DialDriver } from './dial-driver.ts';
import { Gate } from './gate.ts';
import { Gossip } from './gossip.ts';
import { GossipWatch } from './gossip-watch.ts';
import { type Host, startHost } from './host.ts';
import { identityFromSeed } from './identity.ts';
import { type JoinHandler, JoinServer, requestJoin } from './join.ts';
import { type Link, Links } from './links.ts';
import { probePort } from './probe-port.ts';
import { PROTOCOL, STREAMS_MAX } from './protocols.ts';
import { type ServiceHandler, Services } from './services.ts';

const CHECK_MS = 5_000;
const FAREWELL_MS = 1_000;

export type MeshOptions = {
  /** 32 bytes: the peer's Ed25519 private key. */
  readonly seed: Uint8Array;
  /** Multiaddrs like `/ip4/0.0.0.0/tcp/4100`. */
  readonly listen: readonly string[];
  /** Whether others are told this IP address when it is among those listened on; all are without it. */
  readonly tells?: (address: string) => boolean;
  readonly log: Logger;
  /** Finds members on the LAN; null to stay silent. */
  readonly mdns: { readonly serviceTag: string } | null;
};

/** Starts the libp2p host. Throws PlatformError where it cannot listen. Nobody is a member until `setMembers`. */
export async function openMesh({
  seed,
  listen,
  tells = () => true,
  log: parent,
  mdns,
}: MeshOptions): Promise<Mesh> {
  const log = parent.child({ component: 'mesh' });
  const identity = await identityFromSeed(seed);
  const gate = new Gate();
  const host = await startHost({ identity, gate, listen, tells, mdns });
  const tasks = new Tasks(log);
  const gossip = new Gossip(host, identity, gate, tasks, log);
  const mesh = new Libp2pMesh(identity.self, host, gate, gossip, tasks, log);
  await mesh.start();
  return mesh;
}

class Libp2pMesh implements Mesh {
  readonly self: PeerId;
  readonly #host: Host;
  readonly #gate: Gate;
  readonly #gossip: Gossip;
  readonly #tasks: Tasks;
  readonly #log: Logger;
  readonly #links: Links;
  readonly #dialer: DialDriver;
  readonly #services: Services;
  readonly #joins: JoinServer;
  readonly #watch: GossipWatch;
  #members: ReadonlySet<PeerId> = new Set();
  readonly #connectedHandlers: ((peer: PeerId) => void)[] = [];
  readonly #disconnectedHandlers: ((peer: PeerId) => void)[] = [];
  readonly #frameHandlers: ((from: PeerId, frame: Uint8Array) => void)[] = [];
  #check: NodeJS.Timeout | undefined;
  #disposed: Promise<void> | null = null;

  constructor(self: PeerId, host: Host, gate: Gate, gossip: Gossip, tasks: Tasks, log: Logger) {
    this.self = self;
    this.#host = host;
    this.#gate = gate;
    this.#gossip = gossip;
    this.#tasks = tasks;
    this.#log = log;
    this.#services = new Services(log);
    this.#joins = new JoinServer(tasks, log);
    this.#dialer = new DialDriver(self, host, tasks, log);
    this.#links = new Links(
      self,
      {
        onUp: (link) => this.#onUp(link),
        onDown: (link) => this.#onDown(link),
        onMessage: (from, message) => {
          if (this.#members.has(from)) this.#emit(this.#frameHandlers, from, message);
        },
        onConnectionClosed: (peer) => this.#dialer.step({ tag: 'failed', peer }),
      },
      tasks,
      log,
    );
    this.#watch = new GossipWatch(host, gossip, this.#links, tasks, log);
  }

  async start(): Promise<void> {
    const host = this.#host;
    host.addEventListener('connection:open', (event) => this.#onConnection(event.detail));
    host.addEventListener('peer:discovery', (event) => this.#onDiscovered(event.detail));
    host.addEventListener('peer:identify', ({ detail }) =>
      this.#onDiscovered({ id: detail.peerId, multiaddrs: detail.listenAddrs }),
    );
    const limits = { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX };
    const control = this.#links.handleControl.bind(this.#links);
    const service = this.#services.handleStream.bind(this.#services);
    await host.handle(PROTOCOL.control, this.#gate.guard(control), limits);
    await host.handle(PROTOCOL.service, this.#gate.guard(service), limits);
    await host.handle(PROTOCOL.join, this.#joins.handleStream.bind(this.#joins), limits);
    this.#check = setInterval(() => {
      this.#links.checkSilence(performance.now());
      this.#watch.check();
    }, CHECK_MS).unref();
    this.#log.info({ peer: this.self, addrs: this.addrs() }, 'mesh listening');
  }

  addrs(): readonly string[] {
    return this.#host.getMultiaddrs().map((addr) => addr.decapsulate(`/p2p/${this.self}`).toString());
  }

  setMembers(members: readonly { readonly peer: PeerId; readonly addrs: readonly string[] }[]): void {
    const before = this.#members;
    this.#members = new Set(members.map(({ peer }) => peer));
    this.#gate.setMembers(this.#members);
    for (const peer of before) if (!this.#members.has(peer)) this.#dismiss(peer);
    this.#dialer.step({ tag: 'members', members });
  }

  /** Nothing of the peer is heard from now on; what was sent to it, the news of its removal above all, may still leave. */
  #dismiss(peer: PeerId): void {
    setTimeout(() => {
      if (!this.#members.has(peer)) this.drop(peer);
    }, FAREWELL_MS).unref();
  }

  isConnected(peer: PeerId): boolean {
    return this.#links.get(peer) !== undefined;
  }

  connected(): readonly PeerId[] {
    return this.#links.all().map(({ peer }) => peer);
  }

  onConnected(handler: (peer: PeerId) => void): void {
    this.#connectedHandlers.push(handler);
  }

  onDisconnected(handler: (peer: PeerId) => void): void {
    this.#disconnectedHandlers.push(handler);
  }

  send(to: PeerId, frame: Uint8Array): boolean {
    return this.#links.get(to)?.control.send(frame) ?? false;
  }

  onFrame(handler: (from: PeerId, frame: Uint8Array) => void): void {
    this.#frameHandlers.push(handler);
  }

  publish(topic: string, data: Uint8Array): void {
    this.#gossip.publish(topic, data);
  }

  subscribe(topic: string, handler: (from: PeerId, data: Uint8Array) => void): () => void {
    return this.#gossip.subscribe(topic, handler);
  }

  hasSubscribers(topic: string): boolean {
    return this.#gossip.hasSubscribers(topic);
  }

  async open(to: PeerId, service: string, signal: AbortSignal): Promise<Duplex> {
    const link = this.#links.get(to);
    if (link === undefined) {
      throw new PlatformError('unavailable', `Cannot open "${service}" of "${to}": not connected`, {
        hint: 'It is redialled all the time; try again, or see `kith peers`',
      });
    }
    try {
      return await this.#services.open(link.connection, service, signal);
    } catch (cause) {
      if (cause instanceof PlatformError) throw cause;
      throw new PlatformError('unavailable', `Cannot open "${service}" of "${to}"`, { cause });
    }
  }

  serve(service: string, handler: ServiceHandler): void {
    this.#services.serve(service, handler);
  }

  probePort(host: string, port: number, timeoutMs: number): ReturnType<typeof probePort> {
    return probePort(host, port, timeoutMs);
  }

  onJoin(handler: JoinHandler): void {
    this.#joins.onJoin(handler);
  }

  join(
    addrs: readonly string[],
    request: Omit<JoinRequest, 'peer'>,
    signal: AbortSignal,
  ): Promise<JoinGrant> {
    return requestJoin(this.#host, this.#gate, addrs, request, signal);
  }

  drop(peer: PeerId): void {
    this.#links.drop(peer, 'The peer is no member');
    for (const connection of this.#host.getConnections())
      if (connection.remotePeer.toString() === peer) abortQuietly(connection, 'The peer is no member');
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    clearInterval(this.#check);
    this.#dialer.stop();
    await this.#host.stop();
    await this.#tasks.settled();
  }

  #onConnection(connection: Connection): void {
    if (this.#gate.admitConnection(connection)) return;
    this.#links.adoptConnection(connection);
  }

  #onDiscovered({ id, multiaddrs }: PeerInfo): void {
    const peer = id.toString() as PeerId;
    if (!this.#members.has(peer) || multiaddrs.length === 0) return;
    const addrs = multiaddrs.map((addr) => multiaddr(addr.toString()).decapsulateCode(P2P_CODE).toString());
    this.#dialer.step({ tag: 'learned', peer, addrs });
  }

  #onUp(link: Link): void {
    const { peer } = link;
    this.#log.info({ peer, addr: link.connection.remoteAddr.toString() }, 'peer connected');
    this.#dialer.step({ tag: 'up', peer });
    this.#watch.identify(link);
    this.#emit(this.#connectedHandlers, peer);
  }

  #onDown({ peer }: Link): void {
    this.#log.info({ peer }, 'peer disconnected');
    this.#dialer.step({ tag: 'down', peer });
    this.#emit(this.#disconnectedHandlers, peer);
  }

  #emit<A extends unknown[]>(handlers: readonly ((...args: A) => void)[], ...args: A): void {
    for (const handler of handlers) {
      try {
        handler(...args);
      } catch (err) {
        this.#log.error({ err }, 'mesh handler failed');
      }
    }
  }
}

// https://github.com/multiformats/multiaddr/blob/master/protocols.csv
const P2P_CODE = 421;
