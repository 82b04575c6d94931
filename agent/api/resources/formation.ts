import type { ProcessType } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import {
  formationResource,
  mustFindProcessType,
  processTypes,
  quantityUpdate,
} from '../../../src/platform/formation.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { formationEndpoints } from '../../../src/platform/endpoints/formation.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const formationRoutes = [
  route(formationEndpoints.list, list),
  route(formationEndpoints.updateAll, updateBatch),
  route(formationEndpoints.info, (request) => {
    const app = request.app();
    return ok(formationResource(app, mustFindProcessType(app, request.param('type'))));
  }),
  route(formationEndpoints.update, updateOne),
];

type Update = BodyOf<typeof formationEndpoints.update> & { readonly type: ProcessType };

function list(request: ApiRequest): Reply {
  const app = request.app();
  return request.list(
    processTypes(app).map((type) => formationResource(app, type)),
    ['type', 'id'],
  );
}

async function updateBatch(
  request: ApiRequest,
  { updates }: BodyOf<typeof formationEndpoints.updateAll>,
): Promise<Reply> {
  const app = request.app();
  const changed = updates.map((update) => ({ ...update, type: mustFindProcessType(app, update.type) }));
  const after = await scale(request, app, changed);
  return ok(changed.map(({ type }) => formationResource(after, type)));
}

async function updateOne(
  request: ApiRequest,
  update: BodyOf<typeof formationEndpoints.update>,
): Promise<Reply> {
  const app = request.app();
  const type = mustFindProcessType(app, request.param('type'));
  return ok(formationResource(await scale(request, app, [{ ...update, type }]), type));
}

async function scale(request: ApiRequest, app: App, updates: readonly Update[]): Promise<App> {
  const changes = updates.map(({ type, quantity, size }) => ({
    type,
    ...quantityUpdate(quantity),
    ...(size === undefined ? {} : { size }),
  }));
  await request.command({ type: 'formation.scale', app: app.id, updates: changes });
  return request.app();
}
