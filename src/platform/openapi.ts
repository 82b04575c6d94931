import { z } from 'zod';
import { ERROR_CODES } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';

type Json = Readonly<Record<string, unknown>>;

const DESCRIPTION =
  "Heroku's Platform API as a peer of Kith serves it. What begins with /kith/ is Kith's own. Any peer answers for all.";

/** What this API takes, for tools that read OpenAPI 3.1: made from the declarations that it is checked by. */
export function openApi(endpoints: readonly Endpoint[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const each of endpoints) {
    const path = each.path.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[each.method.toLowerCase()] = operation(each);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kith', version, description: DESCRIPTION },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: ERROR_SCHEMA },
    },
    security: [{ token: [] }],
  };
}

const ERROR_SCHEMA = {
  type: 'object',
  required: ['id', 'message'],
  properties: {
    id: { type: 'string', enum: [...new Set(Object.values(ERROR_CODES).map(({ id }) => id))] },
    message: { type: 'string' },
    resource: { type: 'string', description: 'What was not found' },
    hint: { type: 'string', description: 'What to do' },
  },
};

const BYTES = { content: { 'application/octet-stream': {} } };

function operation(endpoint: Endpoint): Json {
  const names = [...endpoint.path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  const body = bodySchema(endpoint);
  const failure = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } };
  return {
    summary: endpoint.title,
    operationId: operationId(endpoint),
    tags: [resourceOf(endpoint)],
    description: `Needs: ${endpoint.needs}.`,
    ...(endpoint.needs === 'nothing' ? { security: [] } : {}),
    ...(names.length === 0
      ? {}
      : {
          parameters: names.map((name) => ({
            name,
            in: 'path',
            required: true,
            description: 'An id or a name',
            schema: { type: 'string' },
          })),
        }),
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [endpoint.status]: { description: endpoint.title, ...(endpoint.isStream ? BYTES : {}) },
      default: { description: 'What was wrong', ...failure },
    },
  };
}

/** What a client may send, before defaults are filled in. */
export function bodySchema({ body }: Endpoint): Json | null {
  if (body === null) return null;
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' });
  return schema;
}

/** The plural that a path is about: `releases` of `/apps/:app/releases/:release`. */
export function resourceOf({ path }: Endpoint): string {
  const nouns = path.split('/').filter((part) => part !== '' && !part.startsWith(':') && part !== 'kith');
  const end = nouns.indexOf('actions');
  return (end === -1 ? nouns : nouns.slice(0, end)).at(-1) ?? 'root';
}

function operationId({ method, path }: Endpoint): string {
  const words = path.split(/[/:.-]+/).filter((word) => word !== '');
  return [method.toLowerCase(), ...words.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join(
    '',
  );
}
