import { CONFIG_KEY_PATTERN } from '../../src/ids.ts';
import { UsageError } from './line/cli-error.ts';
import type { Context } from './line/context.ts';
import { newestReleases } from './releases.ts';

export type ConfigVars = Readonly<Record<string, string>>;

/** Sends a patch (null removes) and tells of the release that it made. @returns all vars after it */
export async function patchConfig(
  context: Context,
  patch: Readonly<Record<string, string | null>>,
  verb: 'Setting' | 'Unsetting',
): Promise<ConfigVars> {
  const { api, screen } = context;
  const app = await context.app();
  const appPath = await context.appPath();
  const names = Object.keys(patch).join(', ');
  const { vars, made } = await screen.progress(
    `${verb} ${names} and restarting ${screen.app(app)}`,
    async () => ({
      vars: await api.patch<ConfigVars>(`${appPath}/config-vars`, patch),
      made: screen.isJson ? undefined : (await newestReleases(api, appPath, 1))[0],
    }),
    (done) => `done, ${done.made?.label ?? 'no release'}`,
  );
  if (made?.status === 'pending') {
    screen.note(
      `Release command executing: dynos get this change when it has succeeded. See kith releases:output ${made.label}`,
    );
  }
  return vars;
}

/** `KEY=value` words; a value may hold further equals signs. */
export function parsePairs(words: readonly string[], hint: string): ConfigVars {
  const pairs = words.map((word): [string, string] => {
    const equals = word.indexOf('=');
    if (equals < 1) throw new UsageError(`"${word}" is no KEY=value`, hint);
    const key = word.slice(0, equals);
    if (!CONFIG_KEY_PATTERN.test(key)) {
      throw new UsageError(
        `"${key}" is no name of a config var`,
        'Names have letters, digits and _ and start with no digit',
      );
    }
    return [key, word.slice(equals + 1)];
  });
  return Object.fromEntries(pairs);
}

/** `KEY: value` lines. */
export function showVars(context: Context, vars: ConfigVars): void {
  const { screen } = context;
  const width = Math.max(0, ...Object.keys(vars).map((key) => key.length)) + 1;
  for (const [key, value] of Object.entries(vars)) {
    screen.line(`${screen.paint.green(`${key}:`)}${' '.repeat(width - key.length)}${value}`);
  }
}
