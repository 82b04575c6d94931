import { PlatformError } from '../../../src/errors.ts';
import { CliError } from '../line/cli-error.ts';
import { paintFor } from './paint.ts';
import type { World } from '../line/world.ts';

/** Tells on stderr what went wrong and what to do about it; no stack unless KITH_DEBUG asks. @returns the exit status */
export function printError(error: unknown, { stderr, env }: World): number {
  const paint = paintFor(stderr, env);
  const arrow = paint.red(' ›');
  const isExpected = error instanceof CliError || error instanceof PlatformError;
  const message = error instanceof Error ? error.message : String(error);
  const hint = isExpected ? error.hint : 'This is a bug of kith; KITH_DEBUG=1 shows where';
  for (const line of message.split('\n')) stderr.write(`${arrow}   ${line}\n`);
  if (hint !== undefined)
    for (const line of hint.split('\n')) stderr.write(`${arrow}   ${paint.dim(line)}\n`);
  if ((env['KITH_DEBUG'] ?? '') !== '' && error instanceof Error) stderr.write(`${error.stack}\n`);
  return error instanceof CliError ? error.exit : 1;
}
