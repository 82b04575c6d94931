import {
  BUNDLED_BUILDPACKS,
  bundledBuildpack,
  mustBeOpenToAll,
  parseBuildpack,
} from '../../../src/builds/buildpack-choice.ts';
import { PlatformError } from '../../../src/errors.ts';
import { buildpackInstallations } from '../../../src/platform/buildpack-installation.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { buildpackEndpoints } from '../../../src/platform/endpoints/buildpacks.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const buildpackRoutes = [
  route(buildpackEndpoints.list, list),
  route(buildpackEndpoints.update, replace),
  route(buildpackEndpoints.registered, lookUp),
];

/** Whole, whatever the `Range`: the order is that of the builds. */
function list(request: ApiRequest): Reply {
  return ok(buildpackInstallations(request.app().buildpacks));
}

async function replace(
  request: ApiRequest,
  { updates }: BodyOf<typeof buildpackEndpoints.update>,
): Promise<Reply> {
  const buildpacks = updates.map((update) => mustMean(update.buildpack));
  if (request.caller.role !== 'admin') mustBeOpenToAll(buildpacks, request.app().buildpacks);
  await request.command({ type: 'buildpacks.set', app: request.app().id, buildpacks });
  return list(request);
}

/** Better now than at the next build. */
function mustMean(buildpack: string): string {
  try {
    parseBuildpack(buildpack);
    return buildpack;
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    throw PlatformError.fromRecord({ ...error.toRecord(), code: 'invalid_params' });
  }
}

/** The registry that the official CLI asks where a name leads: what is ours is known to every peer by that very name. */
function lookUp(request: ApiRequest): Reply {
  const name = request.param('name');
  if (bundledBuildpack(name) === null) {
    throw new PlatformError('not_found', `Couldn't find the buildpack "${name}".`, {
      resource: 'buildpack',
      hint: `There are ${BUNDLED_BUILDPACKS.join(', ')}; any other goes by its git or tar URL`,
    });
  }
  return ok({ name, blob_url: `urn:buildpack:${name}` });
}
