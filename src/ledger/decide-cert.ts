import { PlatformError } from '../errors.ts';
import type { CertId } from '../ids.ts';
import type { Command } from './command.ts';
import { mustApp } from './decide-app.ts';
import type { AppState } from './fold-app.ts';
import type { Fold } from './fold.ts';
import type { OpDraft } from './op.ts';
import { headsOf } from './register.ts';
import type { App, Cert, Domain } from './view.ts';

type CommandOf<Type extends Command['type']> = Extract<Command, { type: Type }>;

/** Every router holds them all in memory. */
const CERTS_PER_APP_MAX = 100;

/** Writes a certificate under a new id and name, or another one in its place. */
export function setCert(fold: Fold, command: CommandOf<'cert.set'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { type: _, ...fields } = command;
  const { name } = command;
  if ([...app.certs.values()].some((other) => other.name === name && other.id !== command.cert)) {
    throw new PlatformError(
      'invalid_params',
      `Cannot add the certificate: "${app.name}" has one called "${name}"`,
    );
  }
  if (!app.certs.has(command.cert) && app.certs.size >= CERTS_PER_APP_MAX) {
    throw new PlatformError(
      'invalid_params',
      `Cannot add the certificate: "${app.name}" has ${CERTS_PER_APP_MAX} already`,
      { hint: 'Remove one that is not used: kith certs:remove' },
    );
  }
  return [
    { parents: headsOf(state.certs.certs.get(command.cert)?.writes), body: { kind: 'cert.set', ...fields } },
  ];
}

export function removeCert(fold: Fold, command: CommandOf<'cert.remove'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { id } = mustCert(app, command.cert);
  const parents = headsOf(state.certs.certs.get(id)?.writes);
  return [{ parents, body: { kind: 'cert.remove', app: app.id, cert: id } }];
}

/** Has a domain served with one certificate of its app, or with whichever fits. */
export function updateDomain(fold: Fold, command: CommandOf<'domain.update'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const domain = app.domains.get(command.hostname);
  if (domain === undefined) {
    throw new PlatformError('not_found', "Couldn't find that domain name.", { resource: 'domain' });
  }
  if (domain.cert === command.cert) return [];
  return [certOfDomainDraft(state, app, domain, command.cert)];
}

/** The op that gives a domain its certificate. */
export function certOfDomainDraft(
  state: AppState,
  app: App,
  { domain }: Pick<Domain, 'domain'>,
  cert: CertId | null,
): OpDraft {
  if (cert !== null) mustCert(app, cert);
  const parents = headsOf(state.certs.ofDomains.get(domain));
  return { parents, body: { kind: 'domain.update', app: app.id, domain, cert } };
}

function mustCert(app: App, id: CertId): Cert {
  const cert = app.certs.get(id);
  if (cert !== undefined) return cert;
  throw new PlatformError('not_found', "Couldn't find that SNI endpoint.", { resource: 'sni_endpoint' });
}
