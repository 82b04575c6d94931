import type { Endpoint } from './endpoint.ts';
import { bodySchema, resourceOf } from './openapi.ts';

type Json = Readonly<Record<string, unknown>>;

const RELS = { GET: 'self', POST: 'create', PUT: 'update', PATCH: 'update', DELETE: 'destroy' } as const;

/** The same in the form of Heroku's own `GET /schema`: JSON Hyper-Schema, draft 4, by resource. */
export function hyperSchema(endpoints: readonly Endpoint[]): Json {
  const definitions: Record<string, { title: string; type: 'object'; links: Json[] }> = {};
  for (const endpoint of endpoints) {
    const resource = resourceOf(endpoint);
    const entry = (definitions[resource] ??= { title: resource, type: 'object', links: [] });
    const schema = bodySchema(endpoint);
    entry.links.push({
      title: endpoint.title,
      rel: endpoint.method === 'GET' && !/:\w+$/.test(endpoint.path) ? 'instances' : RELS[endpoint.method],
      method: endpoint.method,
      href: endpoint.path.replace(/:(\w+)/g, '{$1}'),
      ...(schema === null ? {} : { schema }),
    });
  }
  return {
    $schema: 'http://interagent.github.io/interagent-hyper-schema',
    id: 'kith',
    title: 'Kith Platform API',
    type: ['object'],
    definitions,
    properties: Object.fromEntries(
      Object.keys(definitions).map((name) => [name, { $ref: `#/definitions/${name}` }]),
    ),
  };
}
