import * as fc from 'fast-check';
import type { Endpoint } from '../../src/platform/endpoint.ts';
import { bodySchema } from '../../src/platform/openapi.ts';

type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
};

/** Texts that have broken servers: of the right kind, and yet not what was expected. */
export const WORDS = [
  'web',
  'blog',
  'v3',
  '+1',
  '-1',
  '',
  '0',
  '__proto__',
  'constructor',
  'a\0b',
  '\ud800',
  'é',
  'https://127.0.0.1:1/x',
  'ann@example.com',
  '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
  'kith-postgresql:mini',
  '../../etc/passwd',
] as const;

const word = fc.constantFrom(...WORDS);
const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), word, fc.integer(), fc.constant(null));

/** What an endpoint may be sent: mostly what it declares, with wrong values here and there. */
export function arbitraryBody(endpoint: Endpoint): fc.Arbitrary<unknown> {
  const schema = bodySchema(endpoint) as Schema | null;
  if (schema === null) return fc.constant(undefined);
  return fc.oneof({ weight: 6, arbitrary: arbitraryOf(schema) }, { weight: 1, arbitrary: anything });
}

function arbitraryOf(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: declared(schema) }, { weight: 1, arbitrary: anything });
}

function declared(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(arbitraryOf));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(schema.items === undefined ? anything : arbitraryOf(schema.items), { maxLength: 4 });
    case 'string':
      return fc.oneof(word, fc.string({ maxLength: 30 }), fc.uuid());
    case 'integer':
    case 'number':
      return fc.oneof(fc.integer(), fc.integer({ min: 0, max: 100 }), fc.double());
    case 'boolean':
      return fc.boolean();
    default:
      return anything;
  }
}

function objectOf({ properties, additionalProperties }: Schema): fc.Arbitrary<unknown> {
  const declaredFields = Object.entries(properties ?? {}).map(
    ([name, schema]) => [name, arbitraryOf(schema)] as const,
  );
  if (declaredFields.length === 0 && typeof additionalProperties === 'object') {
    return fc.dictionary(fc.oneof(word, fc.string({ maxLength: 10 })), arbitraryOf(additionalProperties));
  }
  return fc.record(Object.fromEntries(declaredFields), { requiredKeys: [] });
}
