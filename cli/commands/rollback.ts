import type { ReleaseResource } from '../../src/platform/release.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { followRelease } from '../lib/deploy/follow-release.ts';
import { newestReleases } from '../lib/releases.ts';

export default defineCommand({
  ofApp: true,
  args: { release: { is: 'optional', summary: 'v5; the last but one that can be, where none is given' } },
  details: 'Makes a new release with the slug and the config vars of an earlier one. Nothing is lost.',
  examples: ['kith rollback', 'kith rollback v5'],
  async run(context) {
    const { api, screen, args } = context;
    const app = await context.app();
    const appPath = await context.appPath();
    const target =
      args.release === undefined
        ? (await newestReleases(api, appPath, 10)).filter((release) => release.eligible_for_rollback)[1]
        : await api.get<ReleaseResource>(`${appPath}/releases/${encodeURIComponent(args.release)}`);
    if (target === undefined) {
      throw new CliError(`${app} has no release to go back to`, { hint: 'See `kith releases`' });
    }
    const made = await screen.progress(
      `Rolling back ${screen.app(app)} to ${screen.paintErr.green(target.label)}`,
      () => api.post<ReleaseResource>(`${appPath}/releases`, { release: target.id }),
      (release) => `done, ${release.label}`,
    );
    const ended = await followRelease(context, made);
    if (screen.isJson) return screen.json(ended);
    screen.warn(
      `Rollback affects code and config vars.\nTo undo it, run: kith rollback v${made.version - 1}`,
    );
  },
});
