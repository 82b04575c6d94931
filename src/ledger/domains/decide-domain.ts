import { PlatformError } from '../../errors.ts';
import type { CertId } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { orderedFor } from './certificate-duties.ts';
import { mustCert, removeCertDraft } from './decide-cert.ts';
import type { Domain } from './domain-types.ts';

const HOSTNAME_LENGTH_MAX = 253;
/**
 * Labels of letters, digits and inner dashes; at least two of them, the last not a number (that is an address). `*.` at
 * the front stands for every name below.
 */
const HOSTNAME_PATTERN =
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export function addDomain(fold: Fold, command: CommandOf<'domain.add'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const hostname = command.hostname.toLowerCase();
  if (hostname.length > HOSTNAME_LENGTH_MAX || !HOSTNAME_PATTERN.test(hostname)) {
    throw new PlatformError('invalid_params', `Domain "${command.hostname}" is not a valid hostname`, {
      hint: 'Give a name such as www.example.com or *.example.com: letters, digits, dashes and dots',
    });
  }
  const holder = fold.view.domains.get(hostname);
  if (holder !== undefined && holder !== app.id) {
    throw new PlatformError('invalid_params', `${hostname} is currently in use by another app.`);
  }
  if (app.domains.has(hostname)) {
    throw new PlatformError('invalid_params', `${hostname} is already added to this app.`);
  }
  const parents = headsOf(state.domains.get(hostname));
  const { domain, cert = null } = command;
  return [
    { parents, body: { kind: 'domain.add', app: app.id, hostname, domain } },
    ...(cert === null ? [] : [certOfDomainDraft(state, app, { domain }, cert)]),
  ];
}

export function removeDomain(fold: Fold, command: CommandOf<'domain.remove'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const hostname = command.hostname.toLowerCase();
  const domain = mustDomain(app, hostname);
  const ordered = orderedFor(app, domain);
  return [
    { parents: headsOf(state.domains.get(hostname)), body: { kind: 'domain.remove', app: app.id, hostname } },
    ...(ordered === null ? [] : [removeCertDraft(state, app, ordered.id)]),
  ];
}

/** Has a domain served with one certificate of its app, or with whichever fits. */
export function updateDomain(fold: Fold, command: CommandOf<'domain.update'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const domain = mustDomain(app, command.hostname);
  if (domain.cert === command.cert) return [];
  return [certOfDomainDraft(state, app, domain, command.cert)];
}

/** The op that gives a domain its certificate. */
function certOfDomainDraft(
  state: AppState,
  app: App,
  { domain }: Pick<Domain, 'domain'>,
  cert: CertId | null,
): OpDraft {
  if (cert !== null) mustCert(app, cert);
  const parents = headsOf(state.certs.ofDomains.get(domain));
  return { parents, body: { kind: 'domain.update', app: app.id, domain, cert } };
}

function mustDomain(app: App, hostname: string): Domain {
  const domain = app.domains.get(hostname);
  if (domain !== undefined) return domain;
  throw new PlatformError('not_found', "Couldn't find that domain name.", { resource: 'domain' });
}
