import type { AppId, BlobId, DynoId, PeerId, ProcessType, ReleaseId, SlotKey, VolumeId } from '../ids.ts';
import type { DynoFact, PeerFacts, Verdict } from '../facts.ts';

/** A place that the formation asks to be filled, at the generation that it should run. */
export type WantedSlot = {
  readonly slot: SlotKey;
  readonly app: AppId;
  readonly type: ProcessType;
  readonly index: number;
  /** Its dyno is given a port, and is up once it listens there: a web dyno, or one of an open process type. */
  readonly listens: boolean;
  readonly release: ReleaseId;
  readonly generation: string;
  readonly size: string;
  readonly memoryMiB: number;
  readonly command: string;
  readonly arch: string;
  readonly slug: BlobId;
  /** Blobs under the slug that the dyno needs as well. */
  readonly layers: readonly BlobId[];
  readonly format: 'slug' | 'image';
  /** What it mounts: it runs only on the peer that has them all, and not while one of them is not to be written to. */
  readonly volumes: readonly SlotVolume[];
};

export type SlotVolume = {
  readonly volume: VolumeId;
  readonly name: string;
  readonly peer: PeerId;
  readonly copy: string;
  readonly path: string;
  /** Why its dynos must not run now, as the end of `its volume "data" …`; null: they may. */
  readonly stopped: string | null;
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
  /** Get the slot's slug ready: this peer is among the first ranks for it, and does not run it. */
  | { readonly tag: 'warm'; readonly slot: WantedSlot };

/** Why a slot has no dyno anywhere, for `ps`. */
export type Unplaced = { readonly slot: SlotKey; readonly reason: string };

export type Claim = { readonly peer: PeerId; readonly fact: DynoFact };
