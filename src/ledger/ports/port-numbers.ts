import { hash } from 'node:crypto';
import type { AppId, ProcessType } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import { compareHlc } from '../hlc.ts';
import type { Hlc } from '../hlc.ts';
import { oneAfterAnother, settleClaims } from '../lasting-claims.ts';
import type { LastingClaim } from '../lasting-claims.ts';
import type { PortState } from './fold-port.ts';
import { PORT_NUMBER_MAX, PORT_NUMBER_MIN } from './port-types.ts';

/** The process type that is open at a number. */
export type PortHolder = { readonly app: AppId; readonly type: ProcessType };

/** Which process type has which number, both ways. */
export type PortNumbers = {
  readonly holders: ReadonlyMap<number, PortHolder>;
  readonly ofApp: ReadonlyMap<AppId, ReadonlyMap<ProcessType, number>>;
  /** What each type had last, those that are closed now among them. */
  readonly had: ReadonlyMap<AppId, ReadonlyMap<ProcessType, number>>;
  /** When one was given or given up last; null: never. */
  readonly latest: Hlc | null;
};

export const NO_PORT_NUMBERS: PortNumbers = {
  holders: new Map(),
  ofApp: new Map(),
  had: new Map(),
  latest: null,
};

/** Numbers that a type tries before it takes the first that is free. Hardly ever more than one is needed. */
const TRIES = 16;
const COUNT = PORT_NUMBER_MAX - PORT_NUMBER_MIN + 1;

/** `isLast`: what it is to have now. */
type NumberClaim = LastingClaim<number> & { readonly port: PortHolder; readonly isLast: boolean };

/**
 * The numbers that types are reached at. Where two peers gave one number at once, the earlier has it and the later
 * gets another that is free. It keeps that, even when the number that it was to have becomes free: it stands in
 * config vars.
 */
export function assignPortNumbers(apps: readonly AppState[]): PortNumbers {
  const settled = settleClaims(apps.flatMap(claimsOf), ({ port }: NumberClaim, isTaken) =>
    freeNumber(port, (number) => !isTaken(number)),
  );
  const holders = new Map<number, PortHolder>();
  const ofApp = new Map<AppId, Map<ProcessType, number>>();
  const had = new Map<AppId, Map<ProcessType, number>>();
  // The earliest first: what a type had last stays.
  for (const [{ port, isLast, until }, number] of settled) {
    note(had, port, number);
    if (!isLast || until !== null) continue;
    holders.set(number, port);
    note(ofApp, port, number);
  }
  return { holders, ofApp, had, latest: latestWrite(apps) };
}

function latestWrite(apps: readonly AppState[]): Hlc | null {
  let latest: Hlc | null = null;
  for (const { ports } of apps)
    for (const { writes } of ports.values())
      for (const { hlc } of writes) if (latest === null || compareHlc(hlc, latest) > 0) latest = hlc;
  return latest;
}

function note(
  numbers: Map<AppId, Map<ProcessType, number>>,
  { app, type }: PortHolder,
  number: number,
): void {
  numbers.set(app, (numbers.get(app) ?? new Map<ProcessType, number>()).set(type, number));
}

/** The number of a type that is opened: the one that it had, if that is free, for config vars may name it still. */
export function numberFor(
  { had }: PortNumbers,
  port: PortHolder,
  isFree: (number: number) => boolean,
): number | null {
  const own = had.get(port.app)?.get(port.type);
  return own !== undefined && isFree(own) ? own : freeNumber(port, isFree);
}

/** A free number for a type: the same one for the same type, as long as nobody else has it. Null when all are taken. */
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
  port: PortHolder,
  { number: [last], writes }: PortState,
  destroyedAt: Hlc | null,
): readonly NumberClaim[] {
  if (last === undefined) return [];
  const all = oneAfterAnother(writes, last);
  return all.flatMap(({ id, hlc, value }, at) => {
    if (value === null) return [];
    const until = all[at + 1]?.hlc ?? destroyedAt;
    return [
      { id, hlc, value, holder: `${port.app}/${port.type}`, until, port, isLast: at === all.length - 1 },
    ];
  });
}
