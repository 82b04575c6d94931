import { FEATURES, featureResource, mustFindFeature } from '../../../src/platform/feature.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { featureEndpoints } from '../../../src/platform/endpoints/features.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const featureRoutes = [
  route(featureEndpoints.list, list),
  route(featureEndpoints.info, show),
  route(featureEndpoints.update, update),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  return request.list(
    FEATURES.map((feature) => featureResource(app, feature)),
    ['name', 'id'],
  );
}

function show(request: ApiRequest): Reply {
  const app = request.app();
  return ok(featureResource(app, mustFindFeature(app, request.param('feature'))));
}

async function update(
  request: ApiRequest,
  { enabled }: BodyOf<typeof featureEndpoints.update>,
): Promise<Reply> {
  const app = request.app();
  const feature = mustFindFeature(app, request.param('feature'));
  await request.command({ type: 'app.update', app: app.id, features: { [feature.name]: enabled } });
  return ok(featureResource(request.app(), feature));
}
