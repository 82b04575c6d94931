import { rootCertificates, createSecureContext } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { PlatformError } from '../../../src/errors.ts';
import type { CertId } from '../../../src/ids.ts';
import type { App, Cert } from '../../../src/ledger/view.ts';
import { checkCertificate, type CheckedCertificate } from '../../../src/platform/certificate.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { acmEndpoints, sniEndpointEndpoints } from '../../../src/platform/endpoints/sni-endpoints.ts';
import { certName, mustFindCert, sniEndpointResource } from '../../../src/platform/sni-endpoint.ts';
import { certKeyName } from '../../lib/cert-key-name.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const sniEndpointRoutes = [
  route(sniEndpointEndpoints.list, list),
  route(sniEndpointEndpoints.create, create),
  route(sniEndpointEndpoints.info, (request) => ok(sniEndpointResource(request.app(), found(request)))),
  route(sniEndpointEndpoints.update, update),
  route(sniEndpointEndpoints.destroy, destroy),
  route(acmEndpoints.info, noAcm),
  route(acmEndpoints.enable, noAcm),
  route(acmEndpoints.refresh, noAcm),
  route(acmEndpoints.disable, noAcm),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  const certs = [...app.certs.values()].map((cert) => sniEndpointResource(app, cert));
  return request.list(certs, ['name', 'id']);
}

async function create(request: ApiRequest, body: BodyOf<typeof sniEndpointEndpoints.create>): Promise<Reply> {
  const id = request.freshId('certificate') as CertId;
  const checked = check(body.certificate_chain, body.private_key);
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
  if (chain !== undefined && key !== undefined) await set(request, named, check(chain, key));
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

function noAcm(request: ApiRequest): never {
  request.app();
  throw new PlatformError(
    'invalid_params',
    'Kith does not order certificates yet: there is no Automated Certificate Management here',
    { hint: 'Add a certificate that you have: kith certs:add CRT KEY' },
  );
}

async function set(
  request: ApiRequest,
  { id, name, displayName }: Pick<Cert, 'id' | 'name' | 'displayName'>,
  { chain, chainPem, keyPem, facts }: CheckedCertificate,
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
    facts: { ...facts, trusted: isTrusted(chain) },
  });
}

/** What is found good here is good for every router: OpenSSL has the last word. */
function check(chain: string, key: string): CheckedCertificate {
  const checked = checkCertificate(chain, key, Date.now());
  try {
    createSecureContext({ cert: checked.chainPem, key: checked.keyPem, minVersion: 'TLSv1.2' });
  } catch (cause) {
    const reason = cause instanceof Error && 'reason' in cause ? String(cause.reason) : 'TLS refuses it';
    throw new PlatformError('invalid_params', `Cannot use this certificate: ${reason}`, { cause });
  }
  return checked;
}

/** Whether the chain ends at an authority that browsers know, or was issued by one. */
function isTrusted(chain: readonly X509Certificate[]): boolean {
  const last = chain.at(-1);
  if (last === undefined) return false;
  return rootCertificates.some((pem) => {
    const root = new X509Certificate(pem);
    return last.checkIssued(root) && last.verify(root.publicKey);
  });
}

function found(request: ApiRequest): Cert {
  const app: App = request.app();
  return mustFindCert(app, request.param('endpoint'));
}
