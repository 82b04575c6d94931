import { DYNO_SIZES } from '../../../src/dyno-sizes.ts';
import { dynoSizeResource } from '../../../src/platform/dyno-sizes.ts';
import { regionResource, STACK_NAME, stackResource } from '../../../src/platform/stack.ts';
import { catalogEndpoints } from '../../../src/platform/endpoints/catalog.ts';
import { ok } from '../api.ts';
import { route } from '../router.ts';

/** What is the same for every app. */
export const catalogRoutes = [
  route(catalogEndpoints.health, () => ok({ ok: true })),
  route(catalogEndpoints.dynoSizes, () => ok(DYNO_SIZES.map(dynoSizeResource))),
  route(catalogEndpoints.stacks, () => ok([stackResource(STACK_NAME)])),
  route(catalogEndpoints.regions, ({ api }) => ok([regionResource(api.host.view().clusterName)])),
];
