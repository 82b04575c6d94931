import { z } from 'zod';
import {
  mustFindPlan,
  mustFindService,
  planResource,
  serviceResource,
} from '../../../src/platform/addon-service.ts';
import { addonServiceEndpoints } from '../../../src/platform/endpoints/addons.ts';
import { label } from '../../../src/platform/fields.ts';
import { parseParams } from '../../../src/platform/parse-params.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { readFields } from '../body.ts';
import { route } from '../router.ts';

export const addonServiceRoutes = [
  route(addonServiceEndpoints.list, (request) =>
    request.list(
      request.api.addons.services().map((service) => serviceResource(service)),
      ['name', 'id'],
    ),
  ),
  route(addonServiceEndpoints.info, (request) => ok(serviceResource(service(request)))),
  route(addonServiceEndpoints.plans, (request) => {
    const found = service(request);
    return ok(found.plans.map((plan) => planResource(found, plan)));
  }),
  route(addonServiceEndpoints.plan, (request) => {
    const name = request.param('plan');
    const found = mustFindPlan(
      [service(request)],
      name.includes(':') ? name : `${service(request).id}:${name}`,
    );
    return ok(planResource(found.service, found.plan));
  }),
  route(addonServiceEndpoints.token, token),
];

function service(request: ApiRequest) {
  return mustFindService(request.api.addons.services(), request.param('service'));
}

const grant = z.discriminatedUnion('grant_type', [
  z.object({ grant_type: z.literal('authorization_code'), code: label(2_000), client_secret: label(1_000) }),
  z.object({
    grant_type: z.literal('refresh_token'),
    refresh_token: label(2_000),
    client_secret: label(1_000),
  }),
]);

async function token(request: ApiRequest): Promise<Reply> {
  const body = parseParams(grant, await readFields(request.message));
  const tokens = request.api.addons.exchange({
    type: body.grant_type,
    secret: body.client_secret,
    token: body.grant_type === 'refresh_token' ? body.refresh_token : body.code,
  });
  return ok({
    access_token: tokens.access,
    refresh_token: tokens.refresh,
    expires_in: tokens.expiresInSeconds,
    token_type: 'Bearer',
  });
}
