import { PlatformError } from '../../../src/errors.ts';
import { dynoNotFound, dynoResource, findDynos, runningDynos } from '../../../src/platform/dyno.ts';
import type { RunningDyno } from '../../../src/platform/dyno.ts';
import { parseParams } from '../../../src/platform/parse-params.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { copyQuery, dynoEndpoints } from '../../../src/platform/endpoints/dynos.ts';
import { created } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { attachUrlOf } from '../attach-url.ts';
import { download } from '../download.ts';
import { route } from '../router.ts';
import { endsInput, envOf, ttyOf } from '../terminal.ts';

export const insideRoutes = [route(dynoEndpoints.exec, exec), route(dynoEndpoints.copy, copy)];

/** Runs a command in a running dyno, as `heroku run:inside` and `kith ps:exec` ask. */
async function exec(request: ApiRequest, params: BodyOf<typeof dynoEndpoints.exec>): Promise<Reply> {
  const { api, context } = request;
  const app = request.app();
  const dyno = mustFindRunning(request);
  const grant = request.grant('operate');
  const env = envOf(params);
  const tty = ttyOf(params, env);
  const place = { app: app.id, dyno: dyno.dyno, name: dyno.name, peer: dyno.peer };
  const stream = await api.host.execIn(place, { command: params.command, env, tty }, context);
  const shown = { ...dyno, command: params.command };
  const session = { stream, hasTty: tty !== null, endsInput: endsInput(env) };
  return created(dynoResource(api.host.view(), app, shown, attachUrlOf(request, grant, session)));
}

/** A file or folder of a running dyno as a tar archive, cut off where it cannot be completed. */
async function copy(request: ApiRequest): Promise<null> {
  const { api, message, context } = request;
  const app = request.app();
  const { dyno, name, peer } = mustFindRunning(request);
  const { searchParams } = new URL(message.url ?? '', 'http://peer');
  const { path } = parseParams(copyQuery, Object.fromEntries(searchParams));
  using watch = api.openStreams.watch(request.grant('operate'));
  const archive = await api.host.copyFrom({ app: app.id, dyno, name, peer }, path, context);
  const what = { what: 'copy out of a dyno', type: 'application/x-tar' };
  await download(request, archive, { ...what, ended: watch.signal });
  return null;
}

/** The dyno of an id or a name; while one replaces another under one name, the one that is up. */
function mustFindRunning(request: ApiRequest): RunningDyno {
  const app = request.app();
  const asked = request.param('dyno');
  const found = findDynos(runningDynos(app, request.api.host.peers()), asked);
  const dyno = found.findLast(({ state }) => state === 'up') ?? found.at(-1);
  if (dyno === undefined) throw dynoNotFound(app, asked);
  if (dyno.state !== 'crashed') return dyno;
  throw new PlatformError('conflict', `Cannot look into "${dyno.name}" of "${app.name}": it has crashed`, {
    hint: 'See `kith logs`, or start one like it with `kith run bash`',
  });
}
