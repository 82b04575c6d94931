import type { SlotKey } from '../ids.ts';
import { assign } from './census.ts';
import { explainUnplaced } from './eligible.ts';
import type { Context } from './plan-context.ts';
import { isShyOf } from './plan-context.ts';
import { rankPeers } from './rank.ts';
import { brakedSlots } from './takeover.ts';
import type { PlacementAction, Unplaced } from './types.ts';
import { vacancyOf } from './vacancy.ts';

/** The peer of rank r waits r times this before it claims: long enough to hear that a better one did. */
export const RANK_DELAY_MS = 250;

/** Open slots are dealt out in order, each to the peer that ranks first by then; ours are those whose wait is over. */
export function planOpen(
  context: Context,
  openBefore: ReadonlyMap<SlotKey, number>,
): {
  readonly openSince: ReadonlyMap<SlotKey, number>;
  readonly actions: readonly PlacementAction[];
  readonly unplaced: readonly Unplaced[];
  readonly wakeAt: number;
} {
  const { census, wanted, brake, now } = context;
  const braked = brakedSlots(census, wanted, brake, now);
  const openSince = new Map<SlotKey, number>();
  const actions: PlacementAction[] = [];
  const unplaced: Unplaced[] = [];
  let wakeAt = braked.releaseAt;
  for (const slot of wanted) {
    const vacancy = vacancyOf(census, slot, brake, now, (peer) => isShyOf(context, peer, slot));
    if (vacancy.tag === 'held') {
      wakeAt = Math.min(wakeAt, vacancy.until);
      if (vacancy.until < Infinity)
        unplaced.push({ slot: slot.slot, reason: 'The peer that ran it is down' });
      continue;
    }
    if (braked.slots.has(slot.slot)) {
      const reason = 'Half of all peers vanished at once: their dynos are taken over little by little';
      unplaced.push({ slot: slot.slot, reason });
      continue;
    }
    const ranks = rankPeers(census, slot, vacancy.candidates, (peer) => isShyOf(context, peer, slot));
    const [first] = ranks;
    if (first === undefined) {
      if (!vacancy.isServed) unplaced.push({ slot: slot.slot, reason: explainUnplaced(census, slot) });
      continue;
    }
    const since = openBefore.get(slot.slot) ?? now;
    openSince.set(slot.slot, since);
    const rank = ranks.indexOf(census.me);
    const claimAt = rank === -1 ? Infinity : since + rank * RANK_DELAY_MS;
    if (claimAt <= now) actions.push({ tag: 'start', slot, replaces: null });
    else wakeAt = Math.min(wakeAt, claimAt);
    assign(census, claimAt <= now ? census.me : first, slot);
  }
  return { openSince, actions, unplaced, wakeAt };
}
