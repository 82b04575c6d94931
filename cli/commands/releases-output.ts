import type { ReleaseResource } from '../../src/platform/release.ts';
import { ApiError, CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { newestReleases } from '../lib/releases.ts';

const SILENCE_MS = 10 * 60_000;
const KEEP_ALIVE = /\0/g;

export default defineCommand({
  ofApp: true,
  args: { release: { is: 'optional', summary: 'v5; the newest that has a release command' } },
  details: 'Live while the command runs, on whichever peer that is.',
  examples: ['kith releases:output', 'kith releases:output v5'],
  async run(context) {
    const { api, screen, args, world } = context;
    const appPath = await context.appPath();
    const release =
      args.release === undefined
        ? (await newestReleases(api, appPath, 50)).find((each) => each.output_stream_url !== null)
        : await api.get<ReleaseResource>(`${appPath}/releases/${encodeURIComponent(args.release)}`);
    if (release === undefined || release.output_stream_url === null) {
      const app = await context.app();
      const missing =
        release === undefined ? `No release of ${app} has` : `${release.label} of ${app} has no`;
      throw new CliError(`${missing} ${release === undefined ? 'a ' : ''}release command`, {
        hint: 'Declare one in the Procfile, as in `release: npm run migrate`',
      });
    }
    try {
      const stream = await api.stream(release.output_stream_url, { timeoutMs: SILENCE_MS });
      for await (const text of stream) world.stdout.write(String(text).replace(KEEP_ALIVE, ''));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      screen.note('The release command has not been started yet. Try again in a moment.');
    }
  },
});
