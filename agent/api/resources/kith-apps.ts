import { parseSlotKey } from '../../../src/ids.ts';
import { usageResource } from '../../../src/platform/dyno-usage.ts';
import { dynoEndpoints } from '../../../src/platform/endpoints/dynos.ts';
import { clusterEndpoints } from '../../../src/platform/endpoints/kith-cluster.ts';
import { ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const kithAppRoutes = [
  route(clusterEndpoints.verify, verify),
  route(dynoEndpoints.unplaced, unplaced),
  route(dynoEndpoints.usage, usage),
];

async function verify(request: ApiRequest): Promise<Reply> {
  const { checked, problems } = await request.api.host.verify(request.app().id);
  return ok({ checked, problems });
}

/** What each dyno uses just now; one whose peer did not answer in time is left out. */
async function usage(request: ApiRequest): Promise<Reply> {
  return ok((await request.api.host.usage(request.app().id)).map(usageResource));
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
