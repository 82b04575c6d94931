import { PlatformError } from '../errors.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { Domain } from '../ledger/domains/domain-types.ts';
import { acmChangedAt, acmStanding } from './acm.ts';
import type { AcmStatus } from './acm.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { uuidOf } from './ids.ts';
import { isoTime } from './time.ts';

export type DomainResource = {
  readonly id: string;
  readonly app: AppRef;
  readonly hostname: string;
  readonly kind: 'heroku' | 'custom';
  readonly cname: string | null;
  /** Nothing happens behind the scenes: a domain serves as soon as it is added. */
  readonly status: 'none';
  /** What it was given; without one, it is served with whichever certificate of the app fits. */
  readonly sni_endpoint: { readonly id: string; readonly name: string } | null;
  readonly acm_status: AcmStatus | null;
  readonly acm_status_reason: string | null;
  readonly created_at: string;
  readonly updated_at: string;
};

/** The app's own name in the cluster and its custom domains. `webUrl` is where the cluster serves the app. */
export function domainResources(app: App, webUrl: string): readonly DomainResource[] {
  const ownName = new URL(webUrl).hostname;
  const own = domain(
    app,
    { hostname: ownName, domain: uuidOf('domain', app.id), createdAt: app.createdAt, cert: null },
    null,
  );
  const custom = [...app.domains.values()].map((each) => domain(app, each, ownName));
  return [own, ...custom];
}

export function mustFindDomain(domains: readonly DomainResource[], idOrHostname: string): DomainResource {
  const wanted = idOrHostname.toLowerCase();
  const found = domains.find((each) => each.id === wanted || each.hostname === wanted);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the domain "${idOrHostname}".`, { resource: 'domain' });
}

function domain(app: App, each: Domain, cname: string | null): DomainResource {
  const { hostname, domain: id, createdAt, cert } = each;
  const endpoint = cert === null ? undefined : app.certs.get(cert);
  const { status, reason } = cname === null ? { status: null, reason: null } : acmStanding(app, each);
  return {
    id,
    app: appRef(app),
    hostname,
    kind: cname === null ? 'heroku' : 'custom',
    cname,
    status: 'none',
    sni_endpoint: endpoint === undefined ? null : { id: endpoint.id, name: endpoint.name },
    acm_status: status,
    acm_status_reason: reason,
    created_at: isoTime(createdAt),
    updated_at: isoTime(acmChangedAt(app, each)),
  };
}
