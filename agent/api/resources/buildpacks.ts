import { buildpackInstallations } from '../../../src/platform/buildpack-installation.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { buildpackEndpoints } from '../../../src/platform/endpoints/buildpacks.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const buildpackRoutes = [
  route(buildpackEndpoints.list, list),
  route(buildpackEndpoints.update, replace),
];

/** Whole, whatever the `Range`: the order is that of the builds. */
function list(request: ApiRequest): Reply {
  return ok(buildpackInstallations(request.app().buildpacks));
}

async function replace(
  request: ApiRequest,
  { updates }: BodyOf<typeof buildpackEndpoints.update>,
): Promise<Reply> {
  const buildpacks = updates.map((update) => update.buildpack);
  await request.command({ type: 'buildpacks.set', app: request.app().id, buildpacks });
  return list(request);
}
