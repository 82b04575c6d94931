import { z } from 'zod';
import { ERROR_CODES, PlatformError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/** The body of every response that is not a success. `hint` is ours; Heroku's clients ignore it. */
export type ErrorResource = {
  readonly id: string;
  readonly message: string;
  readonly resource?: string;
  readonly hint?: string;
};

export function errorResource(error: PlatformError): ErrorResource {
  return {
    id: ERROR_CODES[error.code].id,
    message: error.message,
    ...(error.resource === undefined ? {} : { resource: error.resource }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

const errorShape = z.object({
  id: z.string(),
  message: z.string(),
  resource: z.string().optional(),
  hint: z.string().optional(),
});

/** The error that a response's status and body tell of; any body will do, for a proxy may have answered. */
export function parseErrorResource(status: number, body: unknown): PlatformError {
  const parsed = errorShape.safeParse(body);
  if (!parsed.success)
    return new PlatformError(codeOf(status, null), `The peer answered with status ${status}`);
  const { id, message, hint, resource } = parsed.data;
  return new PlatformError(codeOf(status, id), message, {
    ...(hint === undefined ? {} : { hint }),
    ...(resource === undefined ? {} : { resource }),
  });
}

function codeOf(status: number, id: string | null): ErrorCode {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  return (
    codes.find((code) => ERROR_CODES[code].id === id) ??
    codes.find((code) => ERROR_CODES[code].status === status) ??
    'internal'
  );
}
