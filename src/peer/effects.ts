import type { AppId, DynoId, OpId, PeerId, ReleaseId } from '../ids.ts';
import type { LogRange } from '../ledger/author-logs.ts';
import type { CommandResult } from '../ledger/command.ts';
import type { Duty } from '../ledger/duty.ts';
import type { StoredOp } from '../ledger/op.ts';
import type { DynoEffect, DynoLife } from '../dynos/types.ts';
import type { WantedSlot } from '../placement/types.ts';
import type { GossipMessage, PeerMessage, PortTarget } from './messages.ts';

/**
 * What the shell must do, in the order given: persist, then send, then answer. A later effect of a step may only be
 * performed when the `persist` before it is durable.
 */
export type PeerEffect =
  | {
      readonly tag: 'persist';
      readonly ops: readonly StoredOp[];
      readonly records: Readonly<Record<string, unknown>>;
    }
  | { readonly tag: 'send'; readonly to: PeerId; readonly message: PeerMessage }
  /** Read these ranges from the store and send them as `ops` messages. */
  | { readonly tag: 'sendOps'; readonly to: PeerId; readonly ranges: readonly LogRange[] }
  | { readonly tag: 'gossip'; readonly message: GossipMessage }
  | { readonly tag: 'answer'; readonly id: string; readonly result: CommandResult }
  | { readonly tag: 'probePorts'; readonly target: PortTarget }
  /** Whom to keep connections with, and where they were last heard of; who is missing here is not heard any more. */
  | {
      readonly tag: 'members';
      readonly members: readonly { readonly peer: PeerId; readonly addrs: readonly string[] }[];
    }
  | { readonly tag: 'dyno'; readonly life: DynoLife; readonly effect: DynoEffect }
  /** The dyno is over: the runtime may forget it. */
  | { readonly tag: 'removeDyno'; readonly dyno: DynoId }
  /** Have the slot's slug here and unpacked, should a takeover need it. */
  | { readonly tag: 'warm'; readonly slot: WantedSlot }
  /** Run this release's command here, or go on with it if it runs already; then say what came of it: `release.settle`. */
  | { readonly tag: 'release'; readonly app: AppId; readonly release: ReleaseId; readonly attempt: OpId }
  /** What this peer does for all from now on; what is missing here is another's, or done. */
  | { readonly tag: 'duties'; readonly duties: readonly Duty[] }
  /** The route table that `routeTable(state)` gives has changed. */
  | { readonly tag: 'routes' }
  /** Something a person should know: for the agent's log and `doctor`. */
  | { readonly tag: 'alarm'; readonly text: string; readonly fields: Readonly<Record<string, unknown>> };
