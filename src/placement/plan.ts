import type { BlobId, SlotKey } from '../ids.ts';
import type { Now } from '../step.ts';
import { takeCensus } from './census.ts';
import type { Lapsed } from './lapse.ts';
import { believed, nextLapseWake, nextLapsed } from './lapse.ts';
import type { Context } from './plan-context.ts';
import { planOpen } from './plan-open.ts';
import { planOwn } from './plan-own.ts';
import { planWarm } from './plan-warm.ts';
import type { Balance } from './rebalance.ts';
import { BALANCED, nextBalance, nextBalanceWake } from './rebalance.ts';
import type { Resting } from './resting.ts';
import { nextResting, restingSlots } from './resting.ts';
import type { Brake } from './takeover.ts';
import { nextBrake } from './takeover.ts';
import type { PlacementAction, PlacementInput, Unplaced } from './types.ts';
import { compareSlots, compareText } from './wanted.ts';

/** What this peer remembers between plans. Times are mono ms. */
export type PlacementState = {
  readonly lapsed: Lapsed;
  /** Since when each open slot has been open, in our eyes. */
  readonly openSince: ReadonlyMap<SlotKey, number>;
  readonly brake: Brake | null;
  readonly balance: Balance;
  readonly resting: Resting;
  /** When the slug was last asked for. */
  readonly warmedAt: ReadonlyMap<BlobId, number>;
  readonly wakeAt: number;
};

export type Plan = {
  readonly state: PlacementState;
  readonly actions: readonly PlacementAction[];
  readonly unplaced: readonly Unplaced[];
};

export function createPlacement(): PlacementState {
  return {
    lapsed: new Map(),
    openSince: new Map(),
    brake: null,
    balance: BALANCED,
    resting: new Map(),
    warmedAt: new Map(),
    wakeAt: Infinity,
  };
}

/** When the plan should be made again though nothing has happened, mono ms. */
export function nextPlacementWake(state: PlacementState): number {
  return state.wakeAt;
}

/** Slots that this peer would rather see elsewhere: it adds them to `shy` in its facts. Sorted. */
export function handovers(state: PlacementState): readonly SlotKey[] {
  const slots = new Set(restingSlots(state.resting));
  if (state.balance.offer !== null) slots.add(state.balance.offer.slot);
  return [...slots].sort(compareText);
}

/**
 * What this peer should do now, so that every wanted slot runs once and where it runs stays put. Each peer plans for
 * itself from the same facts; equal facts give the same assignment, whatever their order, and what differs for a moment
 * is put right by `settleDuplicate`. Actions are to be carried out, and to show in our facts, before the next plan.
 */
export function planPlacement(state: PlacementState, input: PlacementInput, now: Now): Plan {
  const lapsed = nextLapsed(state.lapsed, input.peers, now.mono);
  const census = takeCensus({ ...input, peers: input.peers.map((peer) => believed(lapsed, peer)) });
  const wanted = [...input.wanted].sort(compareSlots);
  const brake = nextBrake(state.brake, census, now.mono);
  const resting = nextResting(state.resting, census, wanted, now.mono);
  const context: Context = { census, wanted, brake, resting, now: now.mono };
  const balance = nextBalance(state.balance, census, wanted, now.mono);
  const own = planOwn(context);
  // From here on the census foresees who takes what is open.
  const open = planOpen(context, state.openSince);
  const warm = planWarm(context, state.warmedAt);
  const wakeAt = Math.min(open.wakeAt, warm.wakeAt, nextBalanceWake(balance), nextLapseWake(lapsed));
  return {
    state: { lapsed, openSince: open.openSince, brake, balance, resting, warmedAt: warm.warmedAt, wakeAt },
    actions: [...own, ...open.actions, ...warm.actions],
    unplaced: open.unplaced,
  };
}
