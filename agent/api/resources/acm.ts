import { PlatformError } from '../../../src/errors.ts';
import { acmEndpoints } from '../../../src/platform/endpoints/sni-endpoints.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { presentApp } from './apps.ts';

/** What becomes of it is told by the app's domains. */
export const acmRoutes = [
  route(acmEndpoints.info, (request) => ok(presentApp(request, request.app()))),
  route(acmEndpoints.enable, (request) => turn(request, true)),
  route(acmEndpoints.refresh, refresh),
  route(acmEndpoints.disable, (request) => turn(request, false)),
];

async function turn(request: ApiRequest, on: boolean): Promise<Reply> {
  const { id, acm } = request.app();
  if (acm.on !== on) await request.command({ type: 'acm.set', app: id, on });
  return ok(presentApp(request, request.app()));
}

/** Asks once more for what failed. */
async function refresh(request: ApiRequest): Promise<Reply> {
  const { id, name, acm } = request.app();
  if (!acm.on) {
    throw new PlatformError(
      'invalid_params',
      `Cannot refresh the certificates of "${name}": none are ordered automatically`,
      { hint: 'Turn that on: kith certs:auto:enable' },
    );
  }
  await request.command({ type: 'acm.set', app: id, on: true });
  return ok(presentApp(request, request.app()));
}
