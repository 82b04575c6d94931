import { randomInt } from 'node:crypto';
import { PlatformError } from '../../../src/errors.ts';
import type { AppId } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/view.ts';
import { appResource, liveApps } from '../../../src/platform/app.ts';
import type { AppResource } from '../../../src/platform/app.ts';
import { randomAppName } from '../../../src/platform/app-names.ts';
import { STACK_NAME } from '../../../src/platform/stack.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { appEndpoints } from '../../../src/platform/endpoints/apps.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';
import { createdApp } from './results.ts';

export const appRoutes = [
  route(appEndpoints.list, list),
  route(appEndpoints.listOfUser, list),
  route(appEndpoints.create, create),
  route(appEndpoints.info, (request) => ok(present(request, request.app()))),
  route(appEndpoints.update, update),
  route(appEndpoints.destroy, destroy),
];

function list(request: ApiRequest): Reply {
  const apps = liveApps(request.api.host.view()).map((app) => present(request, app));
  return request.list(apps, ['name', 'id', 'updated_at']);
}

async function create(request: ApiRequest, { name }: BodyOf<typeof appEndpoints.create>): Promise<Reply> {
  const app = request.freshId('app') as AppId;
  const fallbackName = randomAppName([random(), random(), random()]);
  const ops = await request.command({ type: 'app.create', app, name: name ?? null, fallbackName });
  return created(present(request, await createdApp(request, app, ops)));
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
  if (name !== undefined || maintenance !== undefined) {
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(maintenance === undefined ? {} : { maintenance }),
    };
    await request.command({ type: 'app.update', app: app.id, ...change });
  }
  return ok(present(request, request.api.host.view().apps.get(app.id) ?? app));
}

async function destroy(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const resource = present(request, app);
  await request.command({ type: 'app.destroy', app: app.id });
  await request.api.logs.remove(app.id);
  return ok(resource);
}

function present({ api, baseUrl }: ApiRequest, app: App): AppResource {
  return appResource(app, { web: api.webUrl(app), git: `${baseUrl}/${app.name}.git` });
}

const random = (): number => randomInt(2 ** 32) / 2 ** 32;
