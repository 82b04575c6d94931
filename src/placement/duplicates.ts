import type { DynoFact } from '../facts.ts';
import type { PeerId } from '../ids.ts';
import type { Hlc } from '../ledger/hlc.ts';
import type { Census } from './census.ts';
import { isWilling, runsAsWanted } from './census.ts';
import { misfitOf } from './eligible.ts';
import type { Claim, WantedSlot } from './types.ts';
import { compareText } from './wanted.ts';

/** One peer's hold on a slot: its best dyno there. */
type Hold = {
  readonly peer: PeerId;
  readonly isWilling: boolean;
  readonly standing: number;
  readonly claimedAt: Hlc;
};

const UP_AS_WANTED = 3;
const UP = 2;
const BOOTING = 1;
const CRASHED = 0;

/**
 * Which of our dynos in this slot have to go because another live peer's claim stands above ours, and whether it does.
 * Above is: willing (neither leaving nor shy of it), then up as wanted, up, booting, crashed, then the older claim.
 *
 * The one below goes only once nothing is lost by it: the other is up as wanted, or up while ours is not, or ours has
 * crashed. Two peers that see each other's past can so both stay for a moment, but do not both go.
 */
export function settleDuplicate(
  census: Census,
  slot: WantedSlot,
): { readonly isBelow: boolean; readonly stop: readonly DynoFact[] } {
  const claims = (census.claims.get(slot.slot) ?? []).filter(
    ({ peer }) => peer === census.me || census.byId.get(peer)?.verdict === 'alive',
  );
  const holds = holdsOf(census, slot, claims);
  const [first] = [...holds].sort(compareHolds);
  const own = holds.find(({ peer }) => peer === census.me);
  if (first === undefined || own === undefined || first === own) return { isBelow: false, stop: [] };
  const mayGo =
    first.standing === UP_AS_WANTED ||
    (first.standing === UP && own.standing < UP) ||
    own.standing === CRASHED;
  const ours = claims.filter(({ peer }) => peer === census.me).map(({ fact }) => fact);
  return { isBelow: true, stop: mayGo ? ours : [] };
}

function holdsOf(census: Census, slot: WantedSlot, claims: readonly Claim[]): readonly Hold[] {
  return [...new Set(claims.map(({ peer }) => peer))].map((peer) => {
    const facts = claims.filter((claim) => claim.peer === peer).map(({ fact }) => fact);
    const known = census.byId.get(peer);
    return {
      peer,
      isWilling: known !== undefined && isWilling(known, slot.slot) && misfitOf(known, slot) === null,
      standing: Math.max(...facts.map((fact) => standingOf(fact, slot))),
      claimedAt: facts.map((fact) => fact.claimedAt).reduce((a, b) => (compareHlc(b, a) < 0 ? b : a)),
    };
  });
}

function compareHolds(a: Hold, b: Hold): number {
  return (
    Number(b.isWilling) - Number(a.isWilling) ||
    b.standing - a.standing ||
    compareHlc(a.claimedAt, b.claimedAt) ||
    compareText(a.peer, b.peer)
  );
}

function standingOf(fact: DynoFact, slot: WantedSlot): number {
  if (fact.phase === 'up') return runsAsWanted(fact, slot) ? UP_AS_WANTED : UP;
  return fact.phase === 'crashed' ? CRASHED : BOOTING;
}

function compareHlc(a: Hlc, b: Hlc): number {
  return a.ms - b.ms || a.n - b.n;
}
