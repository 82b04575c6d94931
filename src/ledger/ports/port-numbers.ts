import { hash } from 'node:crypto';
import type { AppId, ProcessType } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import { compareHlc, compareStamps } from '../hlc.ts';
import type { Hlc } from '../hlc.ts';
import type { Write } from '../register.ts';
import type { PortState } from './fold-port.ts';
import { PORT_NUMBER_MAX, PORT_NUMBER_MIN } from './port-types.ts';

/** The process type that is open at a number. */
export type PortHolder = { readonly app: AppId; readonly type: ProcessType };

/** Which process type has which number, both ways. */
export type PortNumbers = {
  readonly holders: ReadonlyMap<number, PortHolder>;
  readonly ofApp: ReadonlyMap<AppId, ReadonlyMap<ProcessType, number>>;
};

export const NO_PORT_NUMBERS: PortNumbers = { holders: new Map(), ofApp: new Map() };

/** Numbers that a type tries before it takes the first that is free. Hardly ever more than one is needed. */
const TRIES = 16;
const COUNT = PORT_NUMBER_MAX - PORT_NUMBER_MIN + 1;

/** That a type was to have a number (`value`), until another moment; null: it has it still. */
type NumberClaim = Write<number> & {
  readonly holder: PortHolder;
  readonly until: Hlc | null;
  readonly isLast: boolean;
};

/**
 * The numbers that types are reached at. Where two peers gave one number at once, the earlier has it and the later
 * gets another that is free. It keeps that, even when the number that it was to have becomes free: it stands in
 * config vars.
 */
export function assignPortNumbers(apps: Iterable<AppState>): PortNumbers {
  const claims = [...apps].flatMap(claimsOf).sort(compareStamps);
  const taken = new Map<number, NumberClaim>();
  const holders = new Map<number, PortHolder>();
  const ofApp = new Map<AppId, Map<ProcessType, number>>();
  for (const claim of claims) {
    const { app, type } = claim.holder;
    const isFree = (number: number): boolean => {
      const other = taken.get(number);
      if (other === undefined || (other.holder.app === app && other.holder.type === type)) return true;
      return other.until !== null && compareHlc(claim.hlc, other.until) >= 0;
    };
    const number = isFree(claim.value) ? claim.value : freeNumber(claim.holder, isFree);
    if (number === null) continue;
    taken.set(number, claim);
    if (!claim.isLast || claim.until !== null) continue;
    holders.set(number, claim.holder);
    ofApp.set(app, (ofApp.get(app) ?? new Map<ProcessType, number>()).set(type, number));
  }
  return { holders, ofApp };
}

/** A free number for a type: the same one again, as long as nobody else has taken it. Null when all are taken. */
export function freeNumber({ app, type }: PortHolder, isFree: (number: number) => boolean): number | null {
  // Each type in an order of its own: who has to give way does not push the next one aside.
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const drawn = hash('sha256', `${app}/${type}/${attempt}`, 'buffer').readUInt32BE() % COUNT;
    if (isFree(PORT_NUMBER_MIN + drawn)) return PORT_NUMBER_MIN + drawn;
  }
  for (let number = PORT_NUMBER_MIN; number <= PORT_NUMBER_MAX; number += 1) {
    if (isFree(number)) return number;
  }
  return null;
}

function claimsOf({ id: app, created, destroyedAt, ports }: AppState): readonly NumberClaim[] {
  if (created === null) return [];
  return [...ports].flatMap(([type, state]) => claimsOfType({ app, type }, state, destroyedAt));
}

/** The numbers it was to have, one after the other. */
function claimsOfType(
  holder: PortHolder,
  { number: [last], writes }: PortState,
  destroyedAt: Hlc | null,
): readonly NumberClaim[] {
  if (last === undefined) return [];
  // One with a later time than the last was seen by its writer, and replaced: a clock there was ahead.
  const before = writes.filter((each) => compareStamps(each, last) < 0).sort(compareStamps);
  const all = [...before, last];
  return all.flatMap(({ id, hlc, value }, at) => {
    if (value === null) return [];
    const until = all[at + 1]?.hlc ?? destroyedAt;
    return [{ id, hlc, value, holder, until, isLast: at === before.length }];
  });
}
