import type { z } from 'zod';
import type { App } from '../../../src/ledger/view.ts';
import { dynoResource } from '../../../src/platform/dyno.ts';
import { dynoCreateSchema } from '../../../src/platform/schemas.ts';
import type { OneOff, OneOffRequest } from '../../../src/shell/host.ts';
import { created } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const oneOffRoutes = [route('POST', '/apps/:app/dynos', run)];

type Params = z.output<typeof dynoCreateSchema>;

/** Runs a command in a dyno of its own; attached, the reply says where its terminal waits for a client. */
async function run(request: ApiRequest): Promise<Reply> {
  const { api, context } = request;
  const params = await request.body(dynoCreateSchema);
  const app = request.app();
  const wanted = oneOffRequest(app, params);
  const oneOff = await api.host.runOneOff(wanted, context);
  return created(present(request, app, wanted, oneOff));
}

function oneOffRequest(app: App, params: Params): OneOffRequest {
  const env = Object.fromEntries(
    Object.entries(params.env ?? {}).map(([key, value]) => [key, String(value)]),
  );
  const tty = params.force_no_tty === true ? null : terminalOf(env);
  return {
    app: app.id,
    command: params.command,
    env,
    size: params.size ?? null,
    attach: params.attach === true ? { tty } : null,
  };
}

/** Clients tell of their terminal once, as variables. */
function terminalOf(env: Readonly<Record<string, string>>): { columns: number; rows: number; term: string } {
  return { columns: cells(env.COLUMNS, 80), rows: cells(env.LINES, 24), term: env.TERM || 'xterm' };
}

function cells(text: string | undefined, fallback: number): number {
  const count = Number(text);
  return Number.isInteger(count) && count >= 1 && count <= 65_535 ? count : fallback;
}

function present(request: ApiRequest, app: App, wanted: OneOffRequest, oneOff: OneOff) {
  const { api } = request;
  const attachUrl = oneOff.attach === null ? null : attachUrlOf(request, wanted, oneOff.attach);
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

function attachUrlOf(
  { api, baseUrl }: ApiRequest,
  wanted: OneOffRequest,
  stream: NonNullable<OneOff['attach']>,
): string {
  const secret = api.attachSessions.open({ stream, hasTty: wanted.attach?.tty != null });
  const { protocol, hostname, port } = new URL(baseUrl);
  // The scheme has no default port, so that its URLs always name one.
  return `rendezvous://${hostname}:${port || (protocol === 'https:' ? 443 : 80)}/${secret}`;
}
