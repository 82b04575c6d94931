import type { OpId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Acm, AcmBody, AcmDomain, AcmFailure, Acme, AcmeChallenge, AcmeSettings } from './acm-types.ts';

/** What an app's automatic certificates are, as registers. The certificates themselves are among its others. */
export type AcmState = {
  readonly on: Register<boolean>;
  readonly domains: ReadonlyMap<string, AcmDomainState>;
};

export type AcmDomainState = {
  readonly challenges: Register<readonly AcmeChallenge[]>;
  readonly failure: Register<AcmFailure | null>;
};

export type AcmeState = Register<AcmeSettings>;
export type AcmeBody = OpBodyOf<'acme.set'>;
export type AcmAppBody = Exclude<AcmBody, AcmeBody>;

export const NO_ACM: AcmState = { on: [], domains: new Map() };
const NEW_DOMAIN: AcmDomainState = { challenges: [], failure: [] };

export function applyAcme(state: AcmeState, { id, hlc, parents }: FoldOp, body: AcmeBody): AcmeState {
  const { kind: _, ...value } = body;
  return writeRegister(state, { id, hlc, value }, parents);
}

export function toAcme([latest]: AcmeState): Acme | null {
  return latest === undefined ? null : { ...latest.value, by: latest.id, setAt: latest.hlc.ms };
}

export function applyAcm(state: AcmState, { id, hlc, parents }: FoldOp, body: AcmAppBody): AcmState {
  const write = <T>(value: T) => ({ id, hlc, value });
  switch (body.kind) {
    case 'acm.set':
      return { ...state, on: writeRegister(state.on, write(body.on), parents) };
    case 'acme.challenge':
      return change(state, body.domain, ({ challenges, ...rest }) => ({
        ...rest,
        challenges: writeRegister(challenges, write(body.challenges), parents),
      }));
    case 'acm.fail':
      return change(state, body.domain, ({ failure, ...rest }) => ({
        ...rest,
        failure: writeRegister(failure, write(body.failure), parents),
      }));
    default:
      return assertNever(body);
  }
}

function change(state: AcmState, domain: string, how: (before: AcmDomainState) => AcmDomainState): AcmState {
  return {
    ...state,
    domains: new Map(state.domains).set(domain, how(state.domains.get(domain) ?? NEW_DOMAIN)),
  };
}

/** As readers see it. */
export function toAcm({ on: [latest], domains }: AcmState): Acm {
  const ask: OpId | null = latest?.id ?? null;
  const shown = [...domains].map(([id, domain]) => [id, toDomain(domain)] as const);
  return {
    on: latest?.value ?? false,
    ask,
    domains: new Map(
      shown.filter(([, { failure, challenges }]) => failure !== null || challenges.length > 0),
    ),
  };
}

function toDomain({ challenges, failure: [latest] }: AcmDomainState): AcmDomain {
  return {
    // Of two issuers on two sides of a split each has its own, and the authority may ask for either.
    challenges: challenges.flatMap(({ value }) => value),
    failure: latest === undefined || latest.value === null ? null : { ...latest.value, at: latest.hlc.ms },
  };
}
