import { coversName } from '../../covers-name.ts';
import { PlatformError } from '../../errors.ts';
import type { CertId } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import type { App } from '../apps/app-types.ts';
import { mustApp } from '../apps/decide-app.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpBodyOf, OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import type { Cert } from './cert-types.ts';

/** Every router holds them all in memory. */
const CERTS_PER_APP_MAX = 100;

/** Writes a certificate under a new id and name, or another one in its place. */
export function setCert(fold: Fold, command: CommandOf<'cert.set'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const { type: _, ...fields } = command;
  const { names } = command.facts;
  const known = app.certs.get(command.cert) ?? null;
  // Only what is said of it changes: whoever ordered it did so still.
  const ordered =
    known !== null && known.acm !== null && known.chain === command.chain ? { acm: known.acm } : {};
  // What was ordered for a domain gives way to what somebody has for it.
  const replaced = [...app.certs.values()].filter(
    ({ id, acm, facts }) =>
      acm !== null &&
      id !== command.cert &&
      facts.names.every((name) => names.some((pattern) => coversName(pattern, name))),
  );
  return [
    setCertDraft(state, app, { ...fields, ...ordered }),
    ...replaced.map(({ id }) => removeCertDraft(state, app, id)),
  ];
}

/** Writes a certificate, that of another time under its id or a new one. */
export function setCertDraft(state: AppState, app: App, fields: Omit<OpBodyOf<'cert.set'>, 'kind'>): OpDraft {
  const { name, cert } = fields;
  if ([...app.certs.values()].some((other) => other.name === name && other.id !== cert)) {
    throw new PlatformError(
      'invalid_params',
      `Cannot add the certificate: "${app.name}" has one called "${name}"`,
    );
  }
  if (!app.certs.has(cert)) mustHaveRoom(app);
  return { parents: headsOf(state.certs.certs.get(cert)?.writes), body: { kind: 'cert.set', ...fields } };
}

/** Asked before one is ordered, too: authorities count what they issue. */
export function mustHaveRoom(app: App): void {
  if (app.certs.size < CERTS_PER_APP_MAX) return;
  throw new PlatformError(
    'invalid_params',
    `Cannot add the certificate: "${app.name}" has ${CERTS_PER_APP_MAX} already`,
    { hint: 'Remove one that is not used: kith certs:remove' },
  );
}

export function removeCert(fold: Fold, command: CommandOf<'cert.remove'>): readonly OpDraft[] {
  const { state, app } = mustApp(fold, command.app);
  const cert = mustCert(app, command.cert);
  if (cert.acm !== null) {
    throw new PlatformError(
      'invalid_params',
      `Cannot remove "${cert.name}": certificates of "${app.name}" are ordered automatically, so another would take its place`,
      { hint: 'Turn that off: kith certs:auto:disable. Or remove the domain' },
    );
  }
  return [removeCertDraft(state, app, cert.id)];
}

export function removeCertDraft(state: AppState, app: App, cert: CertId): OpDraft {
  const parents = headsOf(state.certs.certs.get(cert)?.writes);
  return { parents, body: { kind: 'cert.remove', app: app.id, cert } };
}

export function mustCert(app: App, id: CertId): Cert {
  const cert = app.certs.get(id);
  if (cert !== undefined) return cert;
  throw new PlatformError('not_found', "Couldn't find that SNI endpoint.", { resource: 'sni_endpoint' });
}
