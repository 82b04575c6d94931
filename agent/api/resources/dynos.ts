import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { ProcessType } from '../../../src/ids.ts';
import { dynoNotFound, dynoResource, findDynos, runningDynos } from '../../../src/platform/dyno.ts';
import type { RunningDyno } from '../../../src/platform/dyno.ts';
import { mustFindProcessType, processTypes } from '../../../src/platform/formation.ts';
import { dynoEndpoints } from '../../../src/platform/endpoints/dynos.ts';
import { accepted, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const dynoRoutes = [
  route(dynoEndpoints.list, list),
  route(dynoEndpoints.info, show),
  route(dynoEndpoints.restartAll, (request) => restart(request, request.app(), null, null)),
  route(dynoEndpoints.restart, restartDyno),
  route(dynoEndpoints.restartType, restartType),
  route(dynoEndpoints.stop, stopDyno),
  route(dynoEndpoints.stopType, stopType),
];

function list(request: ApiRequest): Reply {
  const app = request.app();
  const view = request.api.host.view();
  const dynos = dynosOf(request, app).map((dyno) => dynoResource(view, app, dyno));
  return request.list(dynos, ['name', 'id', 'updated_at']);
}

function show(request: ApiRequest): Reply {
  const app = request.app();
  const dyno = findDynos(dynosOf(request, app), request.param('dyno')).at(-1);
  if (dyno === undefined) throw dynoNotFound(app, request.param('dyno'));
  return ok(dynoResource(request.api.host.view(), app, dyno));
}

/** Restarts what is named: a dyno, also one that no peer runs just now, or (as older clients do) a process type. */
async function restartDyno(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const name = request.param('dyno');
  const slot = slotOf(request, app, name);
  if (slot !== null) return restart(request, app, slot.type, slot.index);
  if (processTypes(app).some((type) => type === name))
    return restart(request, app, name as ProcessType, null);
  await stopEach(request, app, findDynos(dynosOf(request, app), name), name);
  return accepted();
}

function restartType(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  return restart(request, app, mustFindProcessType(app, request.param('type')), null);
}

async function restart(
  request: ApiRequest,
  app: App,
  process: ProcessType | null,
  index: number | null,
): Promise<Reply> {
  await request.command({ type: 'formation.restart', app: app.id, process, index });
  return accepted();
}

async function stopDyno(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const name = request.param('dyno');
  await stopEach(request, app, findDynos(dynosOf(request, app), name), name);
  return accepted();
}

async function stopType(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const type = request.param('type');
  const dynos = dynosOf(request, app).filter((dyno) => dyno.type === type);
  // A type with no dyno has nothing to stop, which is no error; one that does not exist is.
  if (dynos.length === 0) mustFindProcessType(app, type);
  else await stopEach(request, app, dynos, type);
  return accepted();
}

async function stopEach(
  request: ApiRequest,
  app: App,
  dynos: readonly RunningDyno[],
  asked: string,
): Promise<void> {
  if (dynos.length === 0) throw dynoNotFound(app, asked);
  for (const name of new Set(dynos.map((dyno) => dyno.name))) await request.api.host.stopDyno(app.id, name);
}

/** The place in the formation that a dyno's name (`web.1`) or id stands for; null for a one-off. */
function slotOf(
  request: ApiRequest,
  app: App,
  idOrName: string,
): { readonly type: ProcessType; readonly index: number } | null {
  const running = findDynos(dynosOf(request, app), idOrName).at(-1);
  const name = running?.name ?? idOrName;
  const [, type = '', digits = ''] = /^(.+)\.([1-9]\d{0,4})$/.exec(name) ?? [];
  const entry = [...app.formation.values()].find((each) => each.type === type);
  const index = Number(digits);
  return entry === undefined || index > entry.quantity || running?.index === null
    ? null
    : { type: entry.type, index };
}

function dynosOf({ api }: ApiRequest, app: App): readonly RunningDyno[] {
  return runningDynos(app, api.host.peers());
}
