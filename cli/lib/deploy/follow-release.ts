import type { ReleaseResource } from '../../../src/platform/release.ts';
import { ApiError, CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import { poll } from '../api/poll.ts';

/** A release command may be silent for long, but the peer is not: it keeps the stream alive. */
const SILENCE_MS = 10 * 60_000;
/** A release command has an hour, and so have those of releases before it. */
const WITHIN_MS = 6 * 3_600_000;
const STARTING_MS_MAX = 6 * 60_000;
/** What the peer sends to keep a silent stream alive. */
const KEEP_ALIVE = /\0/g;

/** Shows a release command's output from its start, and waits for its end. @throws CliError when it failed */
export async function followRelease(context: Context, made: ReleaseResource): Promise<ReleaseResource> {
  if (made.status !== 'pending') return made;
  const { api, screen, world } = context;
  const path = `${await context.appPath()}/releases/${made.id}`;
  screen.note(
    made.output_stream_url === null
      ? 'Waiting for the release before this one...'
      : 'Running release command...',
  );
  if (made.output_stream_url !== null) await showOutput(context, path);
  const ended = await poll(
    async () => {
      const now = await api.get<ReleaseResource>(path);
      return now.status === 'pending' ? null : now;
    },
    {
      everyMs: world.pollMs,
      withinMs: WITHIN_MS,
      lateMessage: `The release command of ${made.label} has not ended`,
      hint: 'See `kith releases`',
    },
  );
  if (ended.status === 'succeeded') return ended;
  throw new CliError(`The release command of ${ended.label} failed: what ran before goes on running`, {
    hint: `See what it wrote: kith releases:output ${ended.label}`,
  });
}

/** What a release command writes, live while it runs. Waits while it has not been started, as long as that may take. */
async function showOutput({ api, world }: Context, path: string): Promise<void> {
  const stream = await poll(
    async () => {
      const { output_stream_url, status } = await api.get<ReleaseResource>(path);
      try {
        return output_stream_url === null
          ? null
          : await api.stream(output_stream_url, { timeoutMs: SILENCE_MS });
      } catch (error) {
        if (status === 'pending' && error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    {
      everyMs: world.pollMs,
      withinMs: STARTING_MS_MAX,
      lateMessage: 'The release command has not been started',
    },
  );
  for await (const text of stream) world.stdout.write(String(text).replace(KEEP_ALIVE, ''));
}
