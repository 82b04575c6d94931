import type { Endpoint } from '../../../src/platform/endpoint.ts';
import { schemaEndpoints } from '../../../src/platform/endpoints/schema.ts';
import { hyperSchema } from '../../../src/platform/hyper-schema.ts';
import { openApi } from '../../../src/platform/openapi.ts';
import { VERSION } from '../../lib/version.ts';
import { ok } from '../api.ts';
import { route } from '../router.ts';
import type { Route } from '../router.ts';

/** What the API says of itself: it follows from the endpoints that it has. */
export function schemaRoutes(others: readonly Route[]): readonly Route[] {
  const own = Object.values(schemaEndpoints);
  const endpoints: readonly Endpoint[] = [...others.map(({ endpoint }) => endpoint), ...own];
  return [
    route(schemaEndpoints.hyperSchema, () => ok(hyperSchema(endpoints))),
    route(schemaEndpoints.openApi, () => ok(openApi(endpoints, VERSION))),
  ];
}
