import type { DynoResource } from '../../../src/platform/dyno.ts';
import { UsageError } from '../line/cli-error.ts';
import type { FlagSpecs } from '../line/specs.ts';
import { parsePairs } from '../config-vars.ts';
import type { Context } from '../line/context.ts';
import { parseCount } from '../line/parse-count.ts';
import { joinCommand } from '../print/quote.ts';
import type { Terminal } from '../line/terminal.ts';

export const ENV_FLAG = {
  kind: 'list',
  short: 'e',
  value: 'KEY=VALUE',
  summary: 'environment variable; several with ";" between, or given again',
} as const;

export const ONE_OFF_FLAGS = {
  size: { kind: 'string', short: 's', value: 'SIZE', summary: 'dyno size' },
  type: { kind: 'string', value: 'TYPE', summary: 'what its name begins with, instead of run' },
  env: ENV_FLAG,
  'time-to-live': {
    kind: 'string',
    value: 'SECONDS',
    summary: 'end it after so long, at the latest after a day',
  },
} as const satisfies FlagSpecs;

/** What the flags of `run` and `run:detached` say. */
export type OneOffFlags = {
  readonly size: string | undefined;
  readonly type: string | undefined;
  readonly env: readonly string[];
  readonly 'time-to-live': string | undefined;
};

/** The command line that the words mean. @throws UsageError for none */
export function commandLine(words: readonly string[]): string {
  if (words.length > 0) return joinCommand(words);
  throw new UsageError('No command was given', 'Write it like `kith run bash`');
}

/** `--env "A=1;B=2"`, as Heroku's CLI takes it: a value that holds a semicolon cannot be given so. */
export function parseEnv(words: readonly string[]): Readonly<Record<string, string>> {
  const pairs = words.flatMap((word) => word.split(';')).filter((pair) => pair.trim() !== '');
  return parsePairs(pairs, 'Write it like --env "KEY=value;OTHER=value"; values cannot hold ";"');
}

/** Asks for a one-off dyno. @param attach the terminal that it is attached to; null: detached */
export async function startOneOff(
  context: Context,
  words: readonly string[],
  flags: OneOffFlags,
  attach: Terminal | null,
): Promise<DynoResource> {
  const { size, type, env } = flags;
  const seconds = flags['time-to-live'];
  return context.api.post<DynoResource>(await context.appPath('/dynos'), {
    attach: attach !== null,
    command: commandLine(words),
    env: { ...attach?.env, ...parseEnv(env) },
    ...(size === undefined ? {} : { size }),
    ...(type === undefined ? {} : { type }),
    ...(seconds === undefined ? {} : { time_to_live: parseCount('time-to-live', seconds, 0) }),
    ...(attach?.hasTty === false ? { force_no_tty: true } : {}),
  });
}
