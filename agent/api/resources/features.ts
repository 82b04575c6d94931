import { FEATURES, featureResource, mustFindFeature } from '../../../src/platform/feature.ts';
import { featurePatchSchema } from '../../../src/platform/schemas.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const featureRoutes = [
  route('GET', '/apps/:app/features', list),
  route('GET', '/apps/:app/features/:feature', show),
  route('PATCH', '/apps/:app/features/:feature', update),
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

async function update(request: ApiRequest): Promise<Reply> {
  const { enabled } = await request.body(featurePatchSchema);
  const app = request.app();
  const feature = mustFindFeature(app, request.param('feature'));
  await request.command({ type: 'app.update', app: app.id, features: { [feature.name]: enabled } });
  return ok(featureResource(request.app(), feature));
}
