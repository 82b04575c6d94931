import type { z } from 'zod';
import type { ProcessType } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/view.ts';
import {
  formationResource,
  mustFindProcessType,
  processTypes,
  quantityUpdate,
} from '../../../src/platform/formation.ts';
import { formationBatchSchema, formationPatchSchema } from '../../../src/platform/schemas.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const formationRoutes = [
  route('GET', '/apps/:app/formation', list),
  route('PATCH', '/apps/:app/formation', updateBatch),
  route('GET', '/apps/:app/formation/:type', (request) => {
    const app = request.app();
    return ok(formationResource(app, mustFindProcessType(app, request.param('type'))));
  }),
  route('PATCH', '/apps/:app/formation/:type', updateOne),
];

type Update = z.output<typeof formationPatchSchema> & { readonly type: ProcessType };

function list(request: ApiRequest): Reply {
  const app = request.app();
  return request.list(
    processTypes(app).map((type) => formationResource(app, type)),
    ['type', 'id'],
  );
}

async function updateBatch(request: ApiRequest): Promise<Reply> {
  const { updates } = await request.body(formationBatchSchema);
  const app = request.app();
  const changed = updates.map((update) => ({ ...update, type: mustFindProcessType(app, update.type) }));
  const after = await scale(request, app, changed);
  return ok(changed.map(({ type }) => formationResource(after, type)));
}

async function updateOne(request: ApiRequest): Promise<Reply> {
  const update = await request.body(formationPatchSchema);
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
