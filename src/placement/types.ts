import type { AppId, BlobId, DynoId, PeerId, ProcessType, ReleaseId, SlotKey } from '../ids.ts';
import type { DynoFact, PeerFacts, Verdict } from '../facts.ts';

/** A place that the formation asks to be filled, at the generation that it should run. */
export type WantedSlot = {
  readonly slot: SlotKey;
  readonly app: AppId;
  readonly type: ProcessType;
  readonly index: number;
  readonly release: ReleaseId;
  readonly generation: string;
  readonly size: string;
  readonly memoryMiB: number;
  readonly command: string;
  readonly arch: string;
  readonly slug: BlobId;
};

export type PlacementPeer = {
  readonly facts: PeerFacts;
  readonly verdict: Verdict;
  /** mono ms of the last verdict change, here. */ readonly verdictAt: number;
};

export type PlacementInput = {
  readonly me: PeerId;
  readonly wanted: readonly WantedSlot[];
  /** Every member with known facts, self included (self's facts are up to date and `alive`). */
  readonly peers: readonly PlacementPeer[];
  readonly members: number;
};

/** What this peer should do now. */
export type PlacementAction =
  /** Start a dyno for the slot here: a free slot, a takeover, or (with `replaces`) the next generation of our own. */
  | { readonly tag: 'start'; readonly slot: WantedSlot; readonly replaces: DynoId | null }
  /** Stop a dyno of ours, gracefully: not wanted any more, replaced and its replacement up, or a duplicate that lost. */
  | {
      readonly tag: 'stop';
      readonly dyno: DynoId;
      readonly slot: SlotKey;
      readonly why: 'unwanted' | 'replaced' | 'duplicate' | 'moved';
    }
  /** Get the slug ready: this peer is among the first ranks for a slot that it does not run. */
  | { readonly tag: 'warm'; readonly slug: BlobId };

/** Why a slot has no dyno anywhere, for `ps`. */
export type Unplaced = { readonly slot: SlotKey; readonly reason: string };

export type Claim = { readonly peer: PeerId; readonly fact: DynoFact };
