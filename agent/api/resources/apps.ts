import { randomInt } from 'node:crypto';
import { PlatformError } from '../../../src/errors.ts';
import type { AppId } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import { mustBeAllowed, visibleApps } from '../../../src/platform/access.ts';
import { appResource } from '../../../src/platform/app.ts';
import { userUuid } from '../../../src/platform/ids.ts';
import { teamRef } from '../../../src/platform/team.ts';
import { sameUser } from '../../../src/rights.ts';
import type { AppResource } from '../../../src/platform/app.ts';
import { randomAppName } from '../../../src/platform/app-names.ts';
import { STACK_NAME } from '../../../src/platform/stack.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { appEndpoints } from '../../../src/platform/endpoints/apps.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';
import { createdApp } from './results.ts';

export const appRoutes = [
  route(appEndpoints.list, list),
  route(appEndpoints.listOfUser, listOfUser),
  route(appEndpoints.create, createApp),
  route(appEndpoints.info, (request) => ok(presentApp(request, request.app()))),
  route(appEndpoints.update, update),
  route(appEndpoints.destroy, destroyApp),
];

function list(request: ApiRequest): Reply {
  return listApps(request, visibleApps(request.view(), request.caller));
}

/** Of oneself, all that one may see; of another, those of these that they own or were let in to. */
function listOfUser(request: ApiRequest): Reply {
  const asked = request.param('user');
  const apps = visibleApps(request.view(), request.caller);
  const isSelf =
    asked === '~' || sameUser(asked, request.caller.user) || asked === userUuid(request.caller.user);
  return listApps(request, isSelf ? apps : apps.filter((app) => isOf(app, asked)));
}

function isOf(app: App, asked: string): boolean {
  return [app.owner, ...app.collaborators.keys()].some(
    (user) => sameUser(user, asked) || userUuid(user) === asked,
  );
}

function listApps(request: ApiRequest, apps: readonly App[]): Reply {
  return request.list(
    apps.map((app) => presentApp(request, app)),
    ['name', 'id', 'updated_at'],
  );
}

export async function createApp(
  request: ApiRequest,
  { name }: BodyOf<typeof appEndpoints.create>,
): Promise<Reply> {
  const app = request.freshId('app') as AppId;
  const fallbackName = randomAppName([random(), random(), random()]);
  const ops = await request.command({ type: 'app.create', app, name: name ?? null, fallbackName });
  return created(presentApp(request, await createdApp(request, app, ops)));
}

async function update(
  request: ApiRequest,
  { name, maintenance, build_stack }: BodyOf<typeof appEndpoints.update>,
): Promise<Reply> {
  const app = request.app();
  if (build_stack !== undefined && build_stack !== STACK_NAME) {
    throw new PlatformError('invalid_params', `Cannot build "${app.name}" on the stack "${build_stack}"`, {
      hint: `The stack here is "${STACK_NAME}"`,
    });
  }
  // On Heroku a new name takes more than what the rest of this takes.
  if (name !== undefined && name !== app.name) mustBeAllowed(request.caller, 'manage', app);
  if (name !== undefined || maintenance !== undefined) {
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(maintenance === undefined ? {} : { maintenance }),
    };
    await request.command({ type: 'app.update', app: app.id, ...change });
  }
  return ok(presentApp(request, request.api.host.view().apps.get(app.id) ?? app));
}

export async function destroyApp(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const resource = presentApp(request, app);
  await request.command({ type: 'app.destroy', app: app.id });
  await request.api.logs.remove(app.id);
  return ok(resource);
}

/** The app as this request's client reaches it. */
export function presentApp({ api, baseUrl }: ApiRequest, app: App): AppResource {
  const urls = { web: api.webUrl(app), git: `${baseUrl}/${app.name}.git` };
  return appResource(app, urls, teamRef(api.host.view()));
}

const random = (): number => randomInt(2 ** 32) / 2 ** 32;
