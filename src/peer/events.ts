import type { ErrorRecord } from '../errors.ts';
import type { OneOffFact, TookOneOff } from '../facts.ts';
import type { BlobId, DynoId, PeerId } from '../ids.ts';
import type { Command, CommandContext } from '../ledger/command.ts';
import type { DynoEvent } from '../dynos/types.ts';
import type { PortState } from '../membership/types.ts';
import type { GossipMessage, PeerMessage } from './messages.ts';

/** Everything that can happen to a peer. Nothing else moves its state. */
export type PeerEvent =
  /** A timer that `nextWake` asked for (or any other moment: waking early is harmless). */
  | { readonly tag: 'wake' }
  | { readonly tag: 'connected'; readonly peer: PeerId }
  | { readonly tag: 'disconnected'; readonly peer: PeerId }
  | { readonly tag: 'message'; readonly from: PeerId; readonly message: PeerMessage }
  | { readonly tag: 'gossip'; readonly from: PeerId; readonly message: GossipMessage }
  | { readonly tag: 'ports'; readonly peer: PeerId; readonly agent: PortState; readonly router: PortState }
  /** A write asked of this peer; `id` is answered exactly once. */
  | {
      readonly tag: 'command';
      readonly id: string;
      readonly command: Command;
      readonly context: CommandContext;
    }
  /** News of a dyno of ours, from the runtime, the slug store or the router. */
  | { readonly tag: 'dyno'; readonly dyno: DynoId; readonly event: DynoEvent }
  | { readonly tag: 'blobs'; readonly held: readonly BlobId[] }
  | { readonly tag: 'oneOffs'; readonly list: readonly OneOffFact[]; readonly took: readonly TookOneOff[] }
  | { readonly tag: 'load'; readonly load: number }
  /** This agent's event loop stalled for so long. */
  | { readonly tag: 'lag'; readonly ms: number }
  /** The disk has no more room, or has it again (null). */
  | { readonly tag: 'storage'; readonly error: ErrorRecord | null }
  /** Dynos can be started here, or cannot: the Engine is away. */
  | { readonly tag: 'runtime'; readonly on: boolean; readonly reason: string }
  | { readonly tag: 'draining'; readonly on: boolean }
  /** Stop every dyno here, whether or not another peer has taken over. */
  | { readonly tag: 'stopAll' }
  /** Say goodbye to all. */
  | { readonly tag: 'leave' };
