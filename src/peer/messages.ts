import type { PeerFacts } from '../facts.ts';
import type { PeerId } from '../ids.ts';
import type { Vector } from '../ledger/author-logs.ts';
import type { Command, CommandContext, CommandResult } from '../ledger/command.ts';
import type { SwimMessage } from '../membership/types.ts';

/** Versions of the facts that a peer holds: (incarnation, counter) by peer. */
export type FactVersions = Readonly<Record<string, readonly [number, number]>>;

/** What travels on the control stream between two peers: in order while the connection lives, lost with it. */
export type PeerMessage =
  | { readonly t: 'swim'; readonly message: SwimMessage }
  /** Anti-entropy, cheap round: answered only by a peer whose digest differs. */
  | { readonly t: 'digest'; readonly digest: string }
  /** Anti-entropy, full round: the receiver sends what the sender lacks, and (unless `final`) its own vector back. */
  | { readonly t: 'vector'; readonly vector: Vector; readonly facts: FactVersions; readonly final: boolean }
  | { readonly t: 'ops'; readonly ops: readonly Uint8Array[] }
  | { readonly t: 'facts'; readonly records: readonly PeerFacts[] }
  /** A write for its home peer. The vector tells the home what the asker has seen, so that it decides on no less. */
  | {
      readonly t: 'command';
      readonly id: string;
      readonly command: Command;
      readonly context: CommandContext;
      readonly vector: Vector;
    }
  /** The asker answers its client once it holds all of `vector`. */
  | { readonly t: 'result'; readonly id: string; readonly result: CommandResult; readonly vector: Vector };

/** What is gossiped to everybody at once. Anti-entropy makes good whatever gossip loses. */
export type GossipMessage =
  | { readonly t: 'ops'; readonly ops: readonly Uint8Array[] }
  | { readonly t: 'facts'; readonly record: PeerFacts };

/** Where a peer's two ports are, for the evidence that nothing of it lives any more. */
export type PortTarget = { readonly peer: PeerId; readonly agent: string; readonly router: string };
