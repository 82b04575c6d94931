import type { ReleaseResource } from '../../src/platform/release.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { followRelease } from '../lib/deploy/follow-release.ts';
import { newestReleases } from '../lib/releases.ts';

export default defineCommand({
  ofApp: true,
  args: { release: { is: 'optional', summary: 'v5; the newest' } },
  details:
    'Makes a new release of the same slug, with the config vars as they are now, and runs its release command.',
  examples: ['kith releases:retry'],
  async run(context) {
    const { api, screen, args } = context;
    const appPath = await context.appPath();
    const release =
      args.release === undefined
        ? (await newestReleases(api, appPath, 1))[0]
        : await api.get<ReleaseResource>(`${appPath}/releases/${encodeURIComponent(args.release)}`);
    if (release?.slug == null) {
      throw new CliError(
        `${release?.label ?? 'The newest release'} of ${await context.app()} has no code to release again`,
        {
          hint: 'Push the app first: git push kith main',
        },
      );
    }
    const { slug, label, description } = release;
    const made = await screen.progress(
      `Retrying ${screen.paintErr.green(label)} of ${screen.app(await context.app())}`,
      () =>
        api.post<ReleaseResource>(`${appPath}/releases`, {
          slug: slug.id,
          description: `Retry of ${label}: ${description}`,
        }),
      ({ label: retry }) => `done, ${retry}`,
    );
    const ended = await followRelease(context, made);
    if (screen.isJson) screen.json(ended);
  },
});
