import { coversName } from '../../../src/covers-name.ts';
import { PlatformError } from '../../../src/errors.ts';
import { domainResources, mustFindDomain } from '../../../src/platform/domain.ts';
import type { DomainResource } from '../../../src/platform/domain.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { domainEndpoints } from '../../../src/platform/endpoints/domains.ts';
import { mustFindCert } from '../../../src/platform/sni-endpoint.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const domainRoutes = [
  route(domainEndpoints.list, (request) => request.list(domainsOf(request), ['hostname', 'id'])),
  route(domainEndpoints.create, create),
  route(domainEndpoints.info, (request) => ok(mustFindDomain(domainsOf(request), request.param('domain')))),
  route(domainEndpoints.update, update),
  route(domainEndpoints.destroy, remove),
];

async function create(
  request: ApiRequest,
  { hostname, sni_endpoint: endpoint = null }: BodyOf<typeof domainEndpoints.create>,
): Promise<Reply> {
  await request.command({
    type: 'domain.add',
    app: request.app().id,
    hostname,
    domain: request.freshId('domain'),
    cert: endpoint === null ? null : mustFindCert(request.app(), endpoint).id,
  });
  return created(mustFindDomain(domainsOf(request), hostname));
}

async function update(
  request: ApiRequest,
  { sni_endpoint: endpoint }: BodyOf<typeof domainEndpoints.update>,
): Promise<Reply> {
  const { hostname, kind } = mustFindDomain(domainsOf(request), request.param('domain'));
  const cert = endpoint === null ? null : mustFindCert(request.app(), endpoint);
  if (kind === 'custom') {
    await request.command({ type: 'domain.update', app: request.app().id, hostname, cert: cert?.id ?? null });
  } else if (cert !== null && !cert.facts.names.some((name) => coversName(name, hostname))) {
    const found = "it is the app's own name here, and this certificate is not for it";
    throw new PlatformError('invalid_params', `Cannot serve "${hostname}" with "${cert.name}": ${found}`);
  }
  // The app's own name is served with what fits, so that there is nothing to write down.
  return ok(mustFindDomain(domainsOf(request), hostname));
}

async function remove(request: ApiRequest): Promise<Reply> {
  const domain = mustFindDomain(domainsOf(request), request.param('domain'));
  if (domain.kind === 'heroku') {
    throw new PlatformError(
      'invalid_params',
      `Cannot remove "${domain.hostname}": it is the app's own name here`,
      {
        hint: '`kith apps:rename` changes it',
      },
    );
  }
  await request.command({ type: 'domain.remove', app: request.app().id, hostname: domain.hostname });
  return ok(domain);
}

function domainsOf(request: ApiRequest): readonly DomainResource[] {
  const app = request.app();
  return domainResources(app, request.api.webUrl(app));
}
