import type { Duplex } from 'node:stream';
import type { PeerId } from '../ids.ts';
import type { PortState } from '../membership/types.ts';

/** What admits a stranger: checked by the member that the joiner dialled, answered over the encrypted join stream. */
export type JoinRequest = {
  readonly peer: PeerId;
  readonly invite: string;
  readonly secret: string;
  readonly name: string;
};

/** All that a joiner needs to become a member: the ops come by anti-entropy afterwards. */
export type JoinGrant = {
  readonly cluster: string;
  readonly members: readonly { readonly peer: PeerId; readonly addrs: readonly string[] }[];
  /** Data keys by key id: they never touch the ledger. */
  readonly keys: Readonly<Record<string, string>>;
  /** The whole ledger at this moment, as stored bytes in per-author order. */
  readonly ops: readonly Uint8Array[];
};

/**
 * The cluster's network as the rest of the agent sees it. Frames ride one long-lived control stream per peer with
 * credit-based flow control; they may be lost with the connection, and arrive in order while it lives.
 */
export interface Mesh extends AsyncDisposable {
  readonly self: PeerId;
  /** Where this peer listens, as multiaddrs without the peer id. */
  addrs(): readonly string[];
  /** Members and where they were last seen: all others are refused, these are redialled for ever. */
  setMembers(members: readonly { readonly peer: PeerId; readonly addrs: readonly string[] }[]): void;
  isConnected(peer: PeerId): boolean;
  connected(): readonly PeerId[];
  onConnected(handler: (peer: PeerId) => void): void;
  onDisconnected(handler: (peer: PeerId) => void): void;
  /** Queues a frame (at most 1 MiB) on the control stream; false when not connected or its bounded queue is full. */
  send(to: PeerId, frame: Uint8Array): boolean;
  onFrame(handler: (from: PeerId, frame: Uint8Array) => void): void;
  /** Gossip to every member that subscribed; at most 16 KiB. An accelerator only: may be lost. */
  publish(topic: string, data: Uint8Array): void;
  subscribe(topic: string, handler: (from: PeerId, data: Uint8Array) => void): () => void;
  hasSubscribers(topic: string): boolean;
  /**
   * A byte stream with back-pressure to a service of another peer. Rejects `unavailable` at once where there is no link to
   * it, so that who has another peer to ask does not wait; otherwise when the stream cannot be had before `signal` aborts.
   */
  open(to: PeerId, service: string, signal: AbortSignal): Promise<Duplex>;
  serve(service: string, handler: (channel: Duplex, from: PeerId) => void): void;
  /** Whether something listens there: `refused` is proof that nothing does. */
  probePort(host: string, port: number, timeoutMs: number): Promise<PortState>;
  /** Strangers may speak only this; the handler throws PlatformError to refuse. */
  onJoin(handler: (request: JoinRequest) => Promise<JoinGrant>): void;
  /** Asks a member, at one of `addrs` (multiaddrs with peer id), to be admitted. */
  join(addrs: readonly string[], request: Omit<JoinRequest, 'peer'>, signal: AbortSignal): Promise<JoinGrant>;
  /** Closes the connection to a peer that is no member any more. */
  drop(peer: PeerId): void;
}
