import type { BuildResource } from '../../../src/platform/build.ts';
import { CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import { poll } from '../api/poll.ts';

/** Builds may be silent for long, but the peer is not: it keeps the stream alive. */
const SILENCE_MS = 10 * 60_000;
const VERDICT_MS_MAX = 60_000;

/** Shows a build's output as it is made, and waits for what came of it. @throws CliError for a failed build */
export async function followBuild(
  context: Context,
  buildPath: string,
  build: BuildResource,
): Promise<BuildResource> {
  const { api, world } = context;
  const output = await api.stream(build.output_stream_url, { timeoutMs: SILENCE_MS });
  for await (const text of output) world.stdout.write(text);
  const ended = await poll(
    async () => {
      const now = await api.get<BuildResource>(buildPath);
      return now.status === 'pending' ? null : now;
    },
    {
      everyMs: world.pollMs,
      withinMs: VERDICT_MS_MAX,
      lateMessage: `The output of build ${build.id} ended, but it is still pending`,
      hint: 'See `kith builds` for what became of it',
    },
  );
  if (ended.status === 'failed')
    throw new CliError('The build failed', { hint: 'Its output says why; nothing was released' });
  return ended;
}
