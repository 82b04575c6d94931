import type { BlobId } from '../ids.ts';
import { obstacleOf } from './eligible.ts';
import type { Context } from './plan-context.ts';
import { isShyOf } from './plan-context.ts';
import { ownDynos } from './plan-own.ts';
import { rankPeers } from './rank.ts';
import type { PlacementAction, WantedSlot } from './types.ts';

/** So many ranks keep the slug ready, so that a takeover waits for no download. */
const WARM_RANKS = 2;
const WARM_AGAIN_MS = 30_000;

/** The slugs of slots that would come to us next, should their peer die. */
export function planWarm(
  context: Context,
  warmedBefore: ReadonlyMap<BlobId, number>,
): {
  readonly warmedAt: ReadonlyMap<BlobId, number>;
  readonly actions: readonly PlacementAction[];
  readonly wakeAt: number;
} {
  const { census, wanted, now } = context;
  const me = census.byId.get(census.me);
  const held = new Set(me?.facts.blobs ?? []);
  const isHeld = (slot: WantedSlot): boolean => [slot.slug, ...slot.layers].every((blob) => held.has(blob));
  const own = ownDynos(census);
  const warmedAt = new Map<BlobId, number>();
  const actions: PlacementAction[] = [];
  let wakeAt = Infinity;
  for (const slot of wanted) {
    if (isHeld(slot) || warmedAt.has(slot.slug) || own.has(slot.slot)) continue;
    if (!isNextInLine(context, slot)) continue;
    const before = warmedBefore.get(slot.slug);
    const isDue = before === undefined || now >= before + WARM_AGAIN_MS;
    if (isDue) actions.push({ tag: 'warm', slot });
    warmedAt.set(slot.slug, isDue ? now : before);
    wakeAt = Math.min(wakeAt, (isDue ? now : before) + WARM_AGAIN_MS);
  }
  return { warmedAt, actions, wakeAt };
}

function isNextInLine(context: Context, slot: WantedSlot): boolean {
  const { census } = context;
  const holders = new Set((census.claims.get(slot.slot) ?? []).map(({ peer }) => peer));
  const others = census.peers.filter(
    (peer) => obstacleOf(census, peer, slot) === null && !holders.has(peer.facts.peer),
  );
  const ranks = rankPeers(census, slot, others, (peer) => isShyOf(context, peer, slot));
  return ranks.slice(0, WARM_RANKS).includes(census.me);
}
