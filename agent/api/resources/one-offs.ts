import type { DynoId } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import { dynoResource } from '../../../src/platform/dyno.ts';
import type { Grant } from '../../../src/platform/grant.ts';
import type { OneOff, OneOffRequest } from '../../../src/shell/host.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { dynoEndpoints } from '../../../src/platform/endpoints/dynos.ts';
import { created } from '../api.ts';
import { attachUrlOf } from '../attach-url.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { endsInput, envOf, ttyOf } from '../terminal.ts';
import { route } from '../router.ts';

export const oneOffRoutes = [route(dynoEndpoints.create, run)];

type Params = BodyOf<typeof dynoEndpoints.create>;

/** Runs a command in a dyno of its own; attached, the reply says where its terminal waits for a client. */
async function run(request: ApiRequest, params: Params): Promise<Reply> {
  const { api, context } = request;
  const app = request.app();
  const grant = request.grant('operate');
  const wanted = { ...oneOffRequest(app, params), dyno: request.freshId('dyno') as DynoId };
  const oneOff = await api.host.runOneOff(wanted, context);
  return created(present(request, grant, app, wanted, oneOff));
}

function oneOffRequest(app: App, params: Params): OneOffRequest {
  const env = envOf(params);
  return {
    app: app.id,
    command: params.command,
    env,
    size: params.size ?? null,
    attach: params.attach === true ? { tty: ttyOf(params, env) } : null,
    ...(params.type == null ? {} : { type: params.type }),
    ...(params.time_to_live == null ? {} : { ttlMs: params.time_to_live * 1_000 }),
  };
}

function present(request: ApiRequest, grant: Grant, app: App, wanted: OneOffRequest, oneOff: OneOff) {
  const { api } = request;
  const hasTty = wanted.attach?.tty != null;
  const client = { hasTty, endsInput: endsInput(wanted.env) };
  const attachUrl =
    oneOff.attach === null ? null : attachUrlOf(request, grant, { stream: oneOff.attach, ...client });
  const dyno = {
    dyno: oneOff.dyno,
    name: oneOff.name,
    type: oneOff.name.slice(0, oneOff.name.lastIndexOf('.')),
    index: null,
    command: wanted.command,
    size: wanted.size,
    state: 'starting',
    release: oneOff.release,
    since: Date.now(),
    peer: oneOff.peer,
  };
  return dynoResource(api.host.view(), app, dyno, attachUrl);
}
