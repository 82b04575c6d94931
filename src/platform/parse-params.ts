import type { z } from 'zod';
import { PlatformError } from '../errors.ts';

const FIELD_CHARS_MAX = 100;

/**
 * What a client sent, as the schema's type.
 * @throws PlatformError `invalid_params` that names the first field at fault
 */
export function parseParams<T>(schema: z.ZodType<T>, params: unknown): T {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = (issue?.path ?? []).map(String).join('.').slice(0, FIELD_CHARS_MAX);
  // Of a bad key zod's own message says nothing; the rule that it broke is one level down.
  const said = (issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message) ?? 'unknown error';
  const what = said.replace(
    /^Invalid input: expected (.+), received undefined$/,
    'it is missing; it is of type $1',
  );
  throw new PlatformError(
    'invalid_params',
    field === '' ? `Invalid parameters: ${what}` : `Invalid parameter "${field}": ${what}`,
  );
}
