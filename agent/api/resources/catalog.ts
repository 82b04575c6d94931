import { DYNO_SIZES } from '../../../src/dyno-sizes.ts';
import { dynoSizeResource } from '../../../src/platform/dyno-sizes.ts';
import { regionResource, STACK_NAME, stackResource } from '../../../src/platform/stack.ts';
import { ok } from '../api.ts';
import { publicRoute, route } from '../router.ts';

/** What is the same for every app. */
export const catalogRoutes = [
  publicRoute('GET', '/health', () => ok({ ok: true })),
  route('GET', '/dyno-sizes', () => ok(DYNO_SIZES.map(dynoSizeResource))),
  route('GET', '/stacks', () => ok([stackResource(STACK_NAME)])),
  route('GET', '/regions', ({ api }) => ok([regionResource(api.host.view().clusterName)])),
];
