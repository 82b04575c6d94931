import { PlatformError } from '../../errors.ts';
import type { AppState } from '../apps/app-state.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { CHALLENGES_MAX } from './acm-bodies.ts';
import type { AcmFailure, AcmeChallenge } from './acm-types.ts';
import { removeCertDraft, setCertDraft } from './decide-cert.ts';

export function setAcme({ state }: Fold, command: CommandOf<'acme.set'>): readonly OpDraft[] {
  const { type: _, ...settings } = command;
  return [{ parents: headsOf(state.acme), body: { kind: 'acme.set', ...settings } }];
}

/** Off, an app loses what was ordered for it. On once more, what failed is tried as if it were new. */
export function setAcm(fold: Fold, { app: id, on }: CommandOf<'acm.set'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, id);
  if (on && fold.view.acme === null) {
    throw new PlatformError(
      'invalid_params',
      `Cannot order certificates for "${app.name}": this cluster has no account with a certificate authority`,
      { hint: 'An admin makes one: kith acme:set EMAIL --agree' },
    );
  }
  if (!on && !app.acm.on) return [];
  const domains = [...app.acm.domains].flatMap(([domain, { failure, challenges }]) => [
    ...(failure === null ? [] : [failureDraft(state, app, domain, null)]),
    ...(on || challenges.length === 0 ? [] : [challengesDraft(state, app, domain, [])]),
  ]);
  const ordered = on ? [] : [...app.certs.values()].filter((cert) => cert.acm !== null);
  return [
    { parents: headsOf(state.acm.on), body: { kind: 'acm.set', app: app.id, on } },
    ...domains,
    ...ordered.map((cert) => removeCertDraft(state, app, cert.id)),
  ];
}

export function openChallenge(fold: Fold, command: CommandOf<'acme.challenge'>): readonly OpDraft[] {
  const { state, app } = mustOrder(fold, command);
  const { domain, challenge } = command;
  const open = app.acm.domains.get(domain)?.challenges ?? [];
  const others = open.filter(({ token }) => token !== challenge.token);
  return [challengesDraft(state, app, domain, [...others, challenge].slice(-CHALLENGES_MAX))];
}

/** Why an order came to nothing, where that is news. */
export function failAcm(fold: Fold, command: CommandOf<'acm.fail'>): readonly OpDraft[] {
  const { state, app } = mustOrder(fold, command);
  const { domain, failure, over } = command;
  const known = app.acm.domains.get(domain)?.failure ?? null;
  const isNews =
    known?.reason !== failure.reason ||
    known.status !== failure.status ||
    known.notBefore !== failure.notBefore;
  return [
    ...(isNews ? [failureDraft(state, app, domain, failure)] : []),
    ...closeChallenges(state, app, domain, over),
  ];
}

export function issueCert(fold: Fold, command: CommandOf<'acm.issue'>): readonly OpDraft[] {
  const { state, app } = mustOrder(fold, command);
  const { domain, cert, name, chain, key, facts, over } = command;
  const fields = { app: app.id, cert, name, chain, key, facts };
  const displayName = app.certs.get(cert)?.displayName ?? null;
  const hasFailed = app.acm.domains.get(domain)?.failure != null;
  return [
    setCertDraft(state, app, { ...fields, displayName, acm: domain }),
    ...(hasFailed ? [failureDraft(state, app, domain, null)] : []),
    ...closeChallenges(state, app, domain, over),
  ];
}

/** An issuer may be late: nothing is written for what is not ordered any more. */
function mustOrder(
  fold: Fold,
  command: { readonly app: App['id']; readonly domain: string },
): { readonly state: AppState; readonly app: App } {
  const found = mustApp(fold, command.app);
  const isThere = [...found.app.domains.values()].some(({ domain }) => domain === command.domain);
  if (found.app.acm.on && isThere) return found;
  throw new PlatformError('conflict', `No certificates are ordered for this domain of "${found.app.name}"`);
}

function closeChallenges(
  state: AppState,
  app: App,
  domain: string,
  over: readonly string[],
): readonly OpDraft[] {
  const open = app.acm.domains.get(domain)?.challenges ?? [];
  const left = open.filter(({ token }) => !over.includes(token)).slice(-CHALLENGES_MAX);
  return left.length === open.length ? [] : [challengesDraft(state, app, domain, left)];
}

function challengesDraft(
  state: AppState,
  app: App,
  domain: string,
  challenges: readonly AcmeChallenge[],
): OpDraft {
  const parents = headsOf(state.acm.domains.get(domain)?.challenges);
  return { parents, body: { kind: 'acme.challenge', app: app.id, domain, challenges } };
}

function failureDraft(state: AppState, app: App, domain: string, failure: AcmFailure | null): OpDraft {
  const parents = headsOf(state.acm.domains.get(domain)?.failure);
  return { parents, body: { kind: 'acm.fail', app: app.id, domain, failure } };
}
