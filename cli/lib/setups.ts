import type { AppSetupResource } from '../../src/platform/app-setup.ts';
import { ApiError, CliError } from './line/cli-error.ts';
import type { Context } from './line/context.ts';
import { poll } from './api/poll.ts';
import type { World } from './line/world.ts';

/** Builds may be silent for long, but the peer is not: it keeps the stream alive. */
const SILENCE_MS = 10 * 60_000;
/** Setups have two hours, and then fail by themselves. */
const WITHIN_MS = 3 * 3_600_000;
/** What the peer sends to keep a silent stream alive. */
const KEEP_ALIVE = /\0/g;

/** What commands that set an app up from sources are told about these. */
export const SETUP_ARGS = {
  dir: { is: 'optional', summary: 'folder or .tar.gz archive (this folder)' },
} as const;
export const SETUP_FLAGS = {
  env: {
    kind: 'list',
    short: 'e',
    value: 'KEY=VALUE',
    summary: 'config var to set; may be given more than once',
  },
  version: {
    kind: 'string',
    value: 'VERSION',
    summary: 'what to call the sources in the release (the commit)',
  },
} as const;

/** Where git looks for what the sources are: the folder that was named, or this one. */
export function sourcesAt(world: World, dir: string | undefined): World {
  return dir === undefined || dir === '.' ? world : { ...world, cwd: dir };
}

/** Shows what a setup's build writes, and waits for its end. @throws CliError where it failed */
export async function followSetup(context: Context, id: string): Promise<AppSetupResource> {
  const { api, screen, world } = context;
  const path = `/app-setups/${id}`;
  const ended = (setup: AppSetupResource): boolean => setup.status !== 'pending';
  const output = await poll(
    async () => {
      const setup = await api.get<AppSetupResource>(path);
      if (ended(setup)) return 'none';
      try {
        return await api.stream(`${path}/output`, { timeoutMs: SILENCE_MS });
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    { everyMs: world.pollMs, withinMs: WITHIN_MS, lateMessage: 'The build has not been started' },
  );
  if (output !== 'none' && !screen.isJson) {
    for await (const text of output) world.stdout.write(String(text).replace(KEEP_ALIVE, ''));
  }
  const setup = await poll(
    async () => {
      const now = await api.get<AppSetupResource>(path);
      return ended(now) ? now : null;
    },
    {
      everyMs: world.pollMs,
      withinMs: WITHIN_MS,
      lateMessage: 'The setup has not ended',
      hint: 'See `kith apps`',
    },
  );
  if (setup.status === 'succeeded') return setup;
  const details = setup.manifest_errors.map((error) => `app.json: ${error}`).join('\n');
  throw new CliError(`The setup failed: ${setup.failure_message ?? 'nobody knows why'}`, {
    hint: details === '' ? 'No app was left behind: put it right and try again' : details,
  });
}
