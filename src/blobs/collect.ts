import type { BlobId, PeerId } from '../ids.ts';
import { unitOf } from '../prng.ts';

export type HeldBlob = {
  readonly id: BlobId;
  readonly bytes: number;
  /** Wall ms, by this host's clock, when it came. */
  readonly since: number;
};

export type CollectInput = {
  readonly me: PeerId;
  readonly held: readonly HeldBlob[];
  /** What the ledger may still ask for. */
  readonly inReach: ReadonlySet<string>;
  /** What dynos here run from, or would start from next. */
  readonly inUse: ReadonlySet<string>;
  /** Other live peers that hold a blob. */
  readonly holders: (blob: BlobId) => readonly PeerId[];
  /** Copies that other peers keep as well may take so much here. */
  readonly budgetBytes: number;
  /** Wall ms. */
  readonly now: number;
};

/** A slug is stored before its release is written, and a peer that was away hears late what is needed. */
const UNKNOWN_KEPT_MS = 24 * 3_600_000;
/** A blob in reach stays at so many live peers at least. */
const COPIES_MIN = 3;

/**
 * What this peer may remove: what nothing in the ledger has asked for in a day, and, over the budget, the oldest copies
 * that enough other peers keep. Which peers those are follows from the blob's id, so that two peers that look at the same
 * moment do not both rely on each other.
 */
export function blobsToRemove(input: CollectInput): readonly BlobId[] {
  const { held, inReach, inUse, budgetBytes, now } = input;
  const isNeeded = ({ id }: HeldBlob): boolean => inReach.has(id) || inUse.has(id);
  const unknown = held.filter((blob) => !isNeeded(blob) && now - blob.since >= UNKNOWN_KEPT_MS);
  let bytes = held.reduce((sum, blob) => sum + blob.bytes, 0);
  for (const blob of unknown) bytes -= blob.bytes;
  const removed = unknown.map(({ id }) => id);
  for (const blob of held.filter(isNeeded).sort(oldestFirst)) {
    if (bytes <= budgetBytes) break;
    if (inUse.has(blob.id) || !isSpare(input, blob.id)) continue;
    removed.push(blob.id);
    bytes -= blob.bytes;
  }
  return removed;
}

function isSpare({ me, holders }: CollectInput, blob: BlobId): boolean {
  const before = holders(blob).filter((peer) => peer !== me && compareKeepers(blob, peer, me) < 0);
  return before.length >= COPIES_MIN;
}

function compareKeepers(blob: BlobId, a: PeerId, b: PeerId): number {
  return unitOf(`${blob} ${a}`) - unitOf(`${blob} ${b}`) || (a < b ? -1 : 1);
}

function oldestFirst(a: HeldBlob, b: HeldBlob): number {
  return a.since - b.since || (a.id < b.id ? -1 : 1);
}
