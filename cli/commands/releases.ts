import type { ReleaseResource } from '../../src/platform/release.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseCount } from '../lib/line/parse-count.ts';
import { newestReleases } from '../lib/releases.ts';
import type { Screen } from '../lib/print/screen.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  ofApp: true,
  flags: { num: { kind: 'string', short: 'n', value: 'NUM', summary: 'how many, newest first (15)' } },
  async run(context) {
    const { api, screen, flags, world } = context;
    const releases = await newestReleases(api, await context.appPath(), parseCount('num', flags.num, 15));
    if (screen.isJson) return screen.json(releases);
    const app = await context.app();
    if (releases.length === 0) return screen.line(`${app} has no releases.`);
    const current = releases.find((release) => release.current);
    screen.heading(`${app} Releases${current === undefined ? '' : ` - Current: ${current.label}`}`);
    screen.line();
    screen.table(
      ['V', 'STATUS', 'DESCRIPTION', 'USER', 'CREATED'],
      releases.map((release) => [
        release.current ? screen.paint.green(release.label) : release.label,
        paintStatus(screen, release),
        release.description,
        release.user.email,
        formatMoment(release.created_at, world.now()),
      ]),
    );
  },
});

/** In Heroku's words, where there is something to say. */
function paintStatus({ paint }: Screen, { status, current }: ReleaseResource): string {
  if (status === 'pending') return paint.yellow('release command executing');
  if (status === 'failed') return paint.red('release command failed');
  return current ? paint.green('current') : '';
}
