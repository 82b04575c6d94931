import type { ErrorRecord } from '../errors.ts';
import type { DynoLife } from '../dynos/types.ts';
import type { OneOffFact, PeerFacts, TookOneOff } from '../facts.ts';
import type { AppId, BlobId, ClusterId, DynoId, Epoch, OpId, PeerId, ReleaseId } from '../ids.ts';
import type { AuthorLogs, Vector } from '../ledger/author-logs.ts';
import type { Command, CommandContext } from '../ledger/command.ts';
import type { Duty } from '../ledger/duty.ts';
import type { Fold } from '../ledger/fold.ts';
import type { StoredOp } from '../ledger/op.ts';
import type { Hlc } from '../ledger/hlc.ts';
import type { Release } from '../ledger/releases/release-types.ts';
import type { Signer } from '../ledger/signing.ts';
import type { MembershipState } from '../membership/membership.ts';
import type { PlacementState } from '../placement/plan.ts';
import type { Unplaced, WantedSlot } from '../placement/types.ts';
import type { View } from '../ledger/view.ts';

/** What a peer knows of itself before anything happens; fixed while the agent runs. */
export type PeerIdentity = {
  readonly signer: Signer;
  readonly cluster: ClusterId;
  /** One more than at the last start; persisted by the shell before the machine starts. */
  readonly incarnation: number;
} & Pick<PeerFacts, 'name' | 'version' | 'arch' | 'runtime' | 'isolation' | 'labels' | 'addrs' | 'capacity'>;

/** A write that was sent to its home peer, or waits there for ops that its asker has already seen. */
export type PendingCommand = {
  readonly id: string;
  readonly command: Command;
  readonly context: CommandContext;
  /** Mono ms. */
  readonly deadline: number;
  readonly attempt: number;
} & (
  | { readonly tag: 'sent'; readonly home: PeerId }
  /** The home has written; its ops are still on their way here. */
  | {
      readonly tag: 'catching-up';
      readonly home: PeerId;
      readonly until: Vector;
      readonly ops: readonly string[];
    }
  /** We are the home, and lack ops that the asker had seen. */
  | { readonly tag: 'held'; readonly asker: PeerId; readonly vector: Vector }
);

/** A release that waits for its command, and the app it is of. */
export type DueRelease = { readonly app: AppId; readonly release: Release };

/** What the homes of duties were last worked out from: nothing of it has changed while each part is the same. */
export type DutiesFrom = {
  readonly parts: readonly unknown[];
  readonly facts: PeerState['facts'];
  /** Peers that are being drained give their duties away. */
  readonly draining: ReadonlySet<PeerId>;
};

/**
 * The whole peer. Readers treat it as immutable; `stepPeer` makes the next one. Everything here can be rebuilt from
 * the store, the runtime and the other peers: nothing is lost when it is dropped.
 */
export type PeerState = {
  readonly identity: PeerIdentity;
  readonly self: PeerId;
  readonly epoch: Epoch;
  readonly hlc: Hlc;
  readonly prng: number;
  readonly logs: AuthorLogs;
  /** Ops of our own store behind a hole in it: they join the logs when others have filled that. Folded already. */
  readonly stranded: readonly StoredOp[];
  readonly fold: Fold;
  readonly membership: MembershipState;
  /** How often a verdict about another peer has changed. */
  readonly verdictChanges: number;
  readonly connected: ReadonlySet<PeerId>;
  /** Facts of other peers, newest each. */
  readonly facts: ReadonlyMap<PeerId, PeerFacts>;
  readonly addresses: ReadonlyMap<PeerId, readonly string[]>;
  readonly placement: PlacementState;
  readonly unplaced: readonly Unplaced[];
  readonly dynos: ReadonlyMap<DynoId, DynoLife>;
  readonly dynosMade: number;
  readonly oneOffs: readonly OneOffFact[];
  readonly tookOneOffs: readonly TookOneOff[];
  readonly blobs: readonly BlobId[];
  readonly load: number;
  readonly draining: boolean;
  /** Since when (mono ms) no dyno can be started here, why, and whether those that ran are given up; null while one can. */
  readonly runtimeDown: {
    readonly since: number;
    readonly reason: string;
    readonly isLost: boolean;
  } | null;
  /** When to look next for a dyno that has grown old, mono ms. */
  readonly cycleAt: number;
  /** Why nothing more can be stored here; null while the disk has room. */
  readonly storage: ErrorRecord | null;
  /** Every dyno here stops and none starts: the agent is on its way out. */
  readonly stopping: boolean;
  readonly pending: ReadonlyMap<string, PendingCommand>;
  /** What was last published of ourselves, and when more may be. */
  readonly own: PeerFacts;
  readonly publishAt: number | null;
  readonly publishedAt: number;
  readonly syncAt: number;
  /** What anti-entropy compares, hashed, and the parts that it was made of. */
  readonly digest: { readonly from: readonly unknown[]; readonly text: string };
  /** Last time each peer was asked for missing ops: gaps come in bursts. */
  readonly askedAt: ReadonlyMap<PeerId, number>;
  /** Placement starts nothing before: at boot, others may still be running what looks free. Null from then on. */
  readonly placeFrom: number | null;
  /** The ledger's members as the failure detector and the mesh were last told of them. */
  readonly membersTold: View['members'];
  readonly mergeAt: number | null;
  /** The last view in which no app had more than one head. */
  readonly unforked: View | null;
  /** Releases whose commands are to be run, by the view they were found in, and when to look at them next. */
  readonly releasesDue: { readonly view: View; readonly due: readonly DueRelease[] };
  readonly releaseAt: number | null;
  /** Attempts of ours that the shell was told of. */
  readonly releasesRun: ReadonlySet<OpId>;
  /** Since when (mono ms) no peer can run a release's command. */
  readonly releasesStuck: ReadonlyMap<ReleaseId, number>;
  /** What this peer does for all, the home of each duty, and what that was worked out from. */
  readonly duties: readonly Duty[];
  readonly dutyHomes: ReadonlyMap<string, PeerId>;
  readonly dutiesFrom: DutiesFrom;
  /** Slots wanted by the view they were computed from. */
  readonly wanted: { readonly view: View; readonly slots: readonly WantedSlot[] };
  /** What the route table, and what our facts, were last made of: equal parts need no second look. */
  readonly routesFrom: readonly unknown[];
  readonly ownFrom: readonly unknown[];
};
