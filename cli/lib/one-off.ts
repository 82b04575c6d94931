import type { DynoResource } from '../../src/platform/dyno.ts';
import { UsageError } from './cli-error.ts';
import type { FlagSpecs } from './command.ts';
import { parsePairs } from './config-vars.ts';
import type { Context } from './context.ts';
import { joinCommand } from './quote.ts';

export const ONE_OFF_FLAGS = {
  size: { kind: 'string', short: 's', value: 'SIZE', summary: 'dyno size' },
  env: { kind: 'list', short: 'e', value: 'KEY=VALUE', summary: 'environment variable; may be given again' },
} as const satisfies FlagSpecs;

export type OneOffOptions = {
  readonly words: readonly string[];
  readonly size: string | undefined;
  readonly env: readonly string[];
};

/** The command line that the words mean. @throws UsageError for none */
export function commandLine(words: readonly string[]): string {
  if (words.length > 0) return joinCommand(words);
  throw new UsageError('No command was given', 'Write it like `kith run bash`');
}

/** Asks for a one-off dyno. `terminal` is the environment that tells of a terminal. */
export async function startOneOff(
  context: Context,
  { words, size, env }: OneOffOptions,
  how: {
    readonly attach: boolean;
    readonly hasTty: boolean;
    readonly terminal: Readonly<Record<string, string>>;
  },
): Promise<DynoResource> {
  return context.api.post<DynoResource>(await context.appPath('/dynos'), {
    attach: how.attach,
    command: commandLine(words),
    env: { ...how.terminal, ...parsePairs(env, 'Write it like --env KEY=value') },
    ...(size === undefined ? {} : { size }),
    ...(how.attach && !how.hasTty ? { force_no_tty: true } : {}),
  });
}
