import type { CertId } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { Cert } from '../../../src/ledger/domains/cert-types.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { sniEndpointEndpoints } from '../../../src/platform/endpoints/sni-endpoints.ts';
import { certName, mustFindCert, sniEndpointResource } from '../../../src/platform/sni-endpoint.ts';
import { certKeyName } from '../../lib/cert-key-name.ts';
import { mustBeGood, type GoodCertificate } from '../../lib/check-certificate.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const sniEndpointRoutes = [
  route(sniEndpointEndpoints.list, list),
  route(sniEndpointEndpoints.create, create),
  route(sniEndpointEndpoints.info, (request) => ok(sniEndpointResource(request.app(), found(request)))),
  route(sniEndpointEndpoints.update, update),
  route(sniEndpointEndpoints.destroy, destroy),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  const certs = [...app.certs.values()].map((cert) => sniEndpointResource(app, cert));
  return request.list(certs, ['name', 'id']);
}

async function create(request: ApiRequest, body: BodyOf<typeof sniEndpointEndpoints.create>): Promise<Reply> {
  const id = request.freshId('certificate') as CertId;
  const checked = mustBeGood(body.certificate_chain, body.private_key);
  await set(request, { id, name: certName(id), displayName: body.display_name ?? null }, checked);
  const app = request.app();
  return created(sniEndpointResource(app, mustFindCert(app, id)));
}

async function update(
  request: ApiRequest,
  { certificate_chain: chain, private_key: key, display_name }: BodyOf<typeof sniEndpointEndpoints.update>,
): Promise<Reply> {
  const cert = found(request);
  const displayName = display_name === undefined ? cert.displayName : display_name;
  const named = { ...cert, displayName };
  if (chain !== undefined && key !== undefined) await set(request, named, mustBeGood(chain, key));
  else if (displayName !== cert.displayName) {
    const { id, name, chain: kept, key: sealed, facts } = named;
    const fields = { app: request.app().id, cert: id, name, displayName, chain: kept, key: sealed, facts };
    await request.command({ type: 'cert.set', ...fields });
  }
  return ok(sniEndpointResource(request.app(), found(request)));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const cert = found(request);
  const app = request.app();
  await request.command({ type: 'cert.remove', app: app.id, cert: cert.id });
  return ok(sniEndpointResource(app, cert));
}

async function set(
  request: ApiRequest,
  { id, name, displayName }: Pick<Cert, 'id' | 'name' | 'displayName'>,
  { chainPem, keyPem, facts }: GoodCertificate,
): Promise<void> {
  const app = request.app().id;
  await request.command({
    type: 'cert.set',
    app,
    cert: id,
    name,
    displayName,
    chain: chainPem,
    key: request.api.host.seal(app, certKeyName(id), keyPem),
    facts,
  });
}

function found(request: ApiRequest): Cert {
  const app: App = request.app();
  return mustFindCert(app, request.param('endpoint'));
}
