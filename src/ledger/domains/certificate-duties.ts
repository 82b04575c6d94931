import { coversName } from '../../covers-name.ts';
import type { App } from '../apps/app-types.ts';
import type { Duty } from '../duty.ts';
import type { View } from '../view.ts';
import type { Acme } from './acm-types.ts';
import type { Cert } from './cert-types.ts';
import type { Domain } from './domain-types.ts';

const KEY = 'certificate/';
const MARK_LENGTH = 8;

/**
 * A certificate is to be there for each of these host names, now and for ever: whoever's duty it is waits until one is
 * due. Its key also names the request and the settings that it comes from, so that a new one of either starts anew.
 */
export function certificateDuties(view: View): readonly Duty[] {
  const { acme } = view;
  if (acme === null) return [];
  return [...view.apps.values()].flatMap((app) => {
    if (app.destroyed || !app.acm.on) return [];
    return [...app.domains.values()]
      .filter((domain) => view.domains.get(domain.hostname) === app.id && whyNotOrdered(app, domain) === null)
      .map(({ hostname }) => ({ kind: 'certificate', key: keyOf(hostname, acme, app) }) as const);
  });
}

function keyOf(hostname: string, acme: Acme, app: App): string {
  const marks = [acme.by, app.acm.ask ?? ''].map((mark) => mark.slice(0, MARK_LENGTH));
  return `${KEY}${hostname}/${marks.join('')}`;
}

/** Why no certificate is ordered for a domain of an app that has them ordered; null: one is. */
export function whyNotOrdered(app: App, domain: Pick<Domain, 'hostname'>): 'uploaded' | 'wildcard' | null {
  if (uploadedFor(app, domain) !== null) return 'uploaded';
  // It would take a record in the DNS, which is not ours.
  return domain.hostname.startsWith('*.') ? 'wildcard' : null;
}

/** A certificate that somebody added and that is for this domain. */
export function uploadedFor(app: App, { hostname }: Pick<Domain, 'hostname'>): Cert | null {
  const isFit = ({ acm, facts }: Cert): boolean =>
    acm === null && facts.names.some((name) => coversName(name, hostname));
  return [...app.certs.values()].find(isFit) ?? null;
}

/** The certificate that was ordered for a domain. */
export function orderedFor(app: App, { domain }: Pick<Domain, 'domain'>): Cert | null {
  return [...app.certs.values()].find(({ acm }) => acm === domain) ?? null;
}

/** What a duty is about; `cert` is what was ordered before. */
export type WantedCertificate = {
  readonly acme: Acme;
  readonly app: App;
  readonly domain: Domain;
  readonly cert: Cert | null;
};

/** Null where it is nobody's duty any more. */
export function findWanted(view: View, { key }: Duty): WantedCertificate | null {
  const { acme } = view;
  const hostname = key.slice(KEY.length, key.lastIndexOf('/'));
  const id = view.domains.get(hostname);
  const app = id === undefined ? undefined : view.apps.get(id);
  const domain = app?.domains.get(hostname);
  if (acme === null || app === undefined || domain === undefined) return null;
  if (!app.acm.on || app.destroyed || key !== keyOf(hostname, acme, app)) return null;
  if (whyNotOrdered(app, domain) !== null) return null;
  return { acme, app, domain, cert: orderedFor(app, domain) };
}
