import { buildpackInstallations } from '../../../src/platform/buildpack-installation.ts';
import { buildpacksPutSchema } from '../../../src/platform/schemas.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const buildpackRoutes = [
  route('GET', '/apps/:app/buildpack-installations', list),
  route('PUT', '/apps/:app/buildpack-installations', replace),
];

/** Whole, whatever the `Range`: the order is that of the builds. */
function list(request: ApiRequest): Reply {
  return ok(buildpackInstallations(request.app().buildpacks));
}

async function replace(request: ApiRequest): Promise<Reply> {
  const { updates } = await request.body(buildpacksPutSchema);
  const buildpacks = updates.map((update) => update.buildpack);
  await request.command({ type: 'buildpacks.set', app: request.app().id, buildpacks });
  return list(request);
}
