import type { z } from 'zod';
import { PlatformError } from '../errors.ts';

/**
 * What a client sent, as the schema's type.
 * @throws PlatformError `invalid_params` that names the first field at fault
 */
export function parseParams<T>(schema: z.ZodType<T>, params: unknown): T {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = (issue?.path ?? []).map(String).join('.');
  const what = issue?.message ?? 'unknown error';
  throw new PlatformError(
    'invalid_params',
    field === '' ? `Invalid parameters: ${what}` : `Invalid parameter "${field}": ${what}`,
  );
}
