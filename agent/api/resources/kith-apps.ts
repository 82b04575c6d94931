import { parseSlotKey } from '../../../src/ids.ts';
import { ok } from '../api.ts';
import type { ApiRequest, Reply } from '../api.ts';
import { route } from '../router.ts';

export const kithAppRoutes = [
  route('GET', '/kith/apps/:app/verify', verify),
  route('GET', '/kith/apps/:app/unplaced', unplaced),
];

async function verify(request: ApiRequest): Promise<Reply> {
  const { checked, problems } = await request.api.host.verify(request.app().id);
  return ok({ checked, problems });
}

function unplaced(request: ApiRequest): Reply {
  const app = request.app();
  const found = request.api.host.unplaced().map(({ slot, reason }) => ({ ...parseSlotKey(slot), reason }));
  return ok(
    found
      .filter((slot) => slot.app === app.id)
      .map(({ type, index, reason }) => ({ dyno: `${type}.${index}`, reason })),
  );
}
