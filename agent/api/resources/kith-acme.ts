import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { PlatformError } from '../../../src/errors.ts';
import { acmeResource, LETS_ENCRYPT } from '../../../src/platform/acme.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { acmeEndpoints } from '../../../src/platform/endpoints/kith-acme.ts';
import { ACME_KEY_NAME } from '../../lib/acme-key-name.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const acmeRoutes = [
  route(acmeEndpoints.info, (request) => ok(acmeResource(request.view().acme))),
  route(acmeEndpoints.set, set),
];

/** The account stays as long as the authority does; another authority has another account. */
async function set(
  request: ApiRequest,
  { email, directory_url: directory = LETS_ENCRYPT, ca = null }: BodyOf<typeof acmeEndpoints.set>,
): Promise<Reply> {
  if (ca !== null) mustBeCertificates(ca);
  const known = request.view().acme;
  const key =
    known?.directory === directory ? known.key : request.api.host.seal('cluster', ACME_KEY_NAME, freshKey());
  await request.command({ type: 'acme.set', directory, email, ca, key });
  return ok(acmeResource(request.view().acme));
}

function freshKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function mustBeCertificates(pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    const whole = blocks.map((block) => new X509Certificate(block));
    if (whole.length > 0 && !pem.includes('PRIVATE KEY')) return;
  } catch {
    // Said below, as of what holds none at all.
  }
  throw new PlatformError('invalid_params', 'Cannot trust this CA: found no whole PEM certificate in it', {
    hint: 'It begins with -----BEGIN CERTIFICATE-----, and no private key belongs there',
  });
}
