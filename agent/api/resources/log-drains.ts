import { DRAIN_URL_KEY, hideSecrets } from '../../../src/drain-url.ts';
import { PlatformError } from '../../../src/errors.ts';
import type { DrainId } from '../../../src/ids.ts';
import { isAllowed, isInScope } from '../../../src/platform/access.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { logDrainEndpoints } from '../../../src/platform/endpoints/log-drains.ts';
import { logDrainResource, mustFindDrain } from '../../../src/platform/log-drain.ts';
import type { LogDrainResource, OpenDrain } from '../../../src/platform/log-drain.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const logDrainRoutes = [
  route(logDrainEndpoints.list, list),
  route(logDrainEndpoints.create, create),
  route(logDrainEndpoints.info, (request) => ok(shown(request, found(request)))),
  route(logDrainEndpoints.update, update),
  route(logDrainEndpoints.destroy, destroy),
];

function list(request: ApiRequest): Reply {
  const drains = drainsOf(request).map((drain) => shown(request, drain));
  return request.list(drains, ['url', 'id']);
}

async function create(request: ApiRequest, { url }: BodyOf<typeof logDrainEndpoints.create>): Promise<Reply> {
  const drain = request.freshId('drain') as DrainId;
  const token = `d.${request.freshId('drain token')}`;
  mustBeNew(request, drain, url);
  const sealed = request.api.host.seal(request.app().id, DRAIN_URL_KEY, url);
  await request.command({
    type: 'drain.add',
    app: request.app().id,
    drain,
    token,
    url: sealed,
    addon: null,
  });
  return created(shown(request, mustFindDrain(drainsOf(request), drain)));
}

async function update(request: ApiRequest, { url }: BodyOf<typeof logDrainEndpoints.update>): Promise<Reply> {
  const { drain } = ownFound(request);
  mustBeNew(request, drain.id, url);
  const sealed = request.api.host.seal(request.app().id, DRAIN_URL_KEY, url);
  await request.command({ type: 'drain.set', app: request.app().id, drain: drain.id, url: sealed });
  return ok(shown(request, mustFindDrain(drainsOf(request), drain.id)));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const drain = ownFound(request);
  const resource = shown(request, drain);
  await request.command({ type: 'drain.remove', app: request.app().id, drain: drain.drain.id });
  return ok(resource);
}

/** The home compares what is sealed; what was sealed under an earlier key of the cluster is compared here. */
function mustBeNew(request: ApiRequest, id: DrainId, url: string): void {
  const isTaken = drainsOf(request).some(
    ({ drain, url: other }) => drain.id !== id && drain.addon === null && other === url,
  );
  if (isTaken) throw new PlatformError('invalid_params', 'Url has already been taken.');
}

function found(request: ApiRequest): OpenDrain {
  return mustFindDrain(drainsOf(request), request.param('drain'));
}

/** One that the app's users made. */
function ownFound(request: ApiRequest): OpenDrain {
  const drain = found(request);
  if (drain.drain.addon === null) return drain;
  const { name } = shown(request, drain).addon ?? { name: '' };
  throw new PlatformError('forbidden', `Cannot change the drain "${drain.drain.token}": it is of "${name}"`, {
    hint: `It goes with its add-on: \`kith addons:destroy ${name}\``,
  });
}

function drainsOf(request: ApiRequest): readonly OpenDrain[] {
  const app = request.app();
  const { host } = request.api;
  return [...app.drains.values()].map((drain) => ({
    drain,
    url: host.open(app.id, DRAIN_URL_KEY, drain.url),
  }));
}

/** Whoever may see the app's config vars sees the URL as it was given; others do not see its secrets. */
function shown(request: ApiRequest, { drain, url }: OpenDrain): LogDrainResource {
  const app = request.app();
  const { caller } = request;
  const seesConfig =
    isAllowed(caller, 'deploy', app) &&
    isInScope(caller.scopes, { method: 'GET', scope: null, isProtected: true });
  const { searchParams } = new URL(request.message.url ?? '', 'http://peer');
  const isExtended = searchParams.get('extended') === 'true';
  return logDrainResource(app, drain, seesConfig ? url : hideSecrets(url), isExtended);
}
