import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { Port } from '../../../src/ledger/ports/port-types.ts';
import { visibleApps } from '../../../src/platform/access.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { portEndpoints } from '../../../src/platform/endpoints/ports.ts';
import { mustFindPort, portResource, portsOf } from '../../../src/platform/port.ts';
import type { PortResource } from '../../../src/platform/port.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const portRoutes = [
  route(portEndpoints.listAll, (request) =>
    ok(visibleApps(request.view(), request.caller).flatMap((app) => allOf(request, app))),
  ),
  route(portEndpoints.list, (request) => ok(allOf(request, request.app()))),
  route(portEndpoints.open, open),
  route(portEndpoints.close, close),
];

async function open(
  request: ApiRequest,
  { type, number }: BodyOf<typeof portEndpoints.open>,
): Promise<Reply> {
  const { id: app } = request.app();
  await request.command({ type: 'port.open', app, process: type, number: number ?? null });
  return created(shown(request, request.app(), mustFindPort(request.app(), type)));
}

async function close(request: ApiRequest): Promise<Reply> {
  const app = request.app();
  const port = mustFindPort(app, request.param('type'));
  const resource = shown(request, app, port);
  await request.command({ type: 'port.close', app: app.id, process: port.type });
  return ok(resource);
}

function allOf(request: ApiRequest, app: App): readonly PortResource[] {
  return portsOf(app).map((port) => shown(request, app, port));
}

function shown(request: ApiRequest, app: App, port: Port): PortResource {
  return portResource(app, port, request.api.host.peers());
}
