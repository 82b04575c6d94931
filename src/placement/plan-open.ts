import type { SlotKey } from '../ids.ts';
import type { Census } from './census.ts';
import { assign } from './census.ts';
import { explainUnplaced, stoppedVolume } from './eligible.ts';
import type { Context } from './plan-context.ts';
import { isShyOf } from './plan-context.ts';
import { rankPeers } from './rank.ts';
import { brakedSlots } from './takeover.ts';
import type { PlacementAction, Unplaced, WantedSlot } from './types.ts';
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
    const stopped = stoppedVolume(slot);
    if (stopped !== undefined) {
      unplaced.push({ slot: slot.slot, reason: `Its volume "${stopped.name}" ${stopped.stopped}` });
      continue;
    }
    const vacancy = vacancyOf(census, slot, brake, now, (peer) => isShyOf(context, peer, slot));
    if (vacancy.tag === 'held') {
      wakeAt = Math.min(wakeAt, vacancy.until);
      if (vacancy.until < Infinity) unplaced.push({ slot: slot.slot, reason: whyHeld(census, slot) });
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
    // Two dynos of one slot never have a volume at once: the fall of the last one is in our facts, and plans anew.
    if (claimAt <= now && writesStill(census, slot)) continue;
    if (claimAt <= now) actions.push({ tag: 'start', slot, replaces: null });
    else wakeAt = Math.min(wakeAt, claimAt);
    assign(census, claimAt <= now ? census.me : first, slot);
  }
  return { openSince, actions, unplaced, wakeAt };
}

function whyHeld(census: Census, slot: WantedSlot): string {
  return slot.volumes.length === 0 ? 'The peer that ran it is down' : explainUnplaced(census, slot);
}

/** Whether a dyno of ours that is on its way out of this slot may still write to its volume. */
function writesStill(census: Census, { slot, volumes }: WantedSlot): boolean {
  const own = census.byId.get(census.me)?.facts.dynos ?? [];
  return volumes.length > 0 && own.some((fact) => fact.slot === slot);
}
