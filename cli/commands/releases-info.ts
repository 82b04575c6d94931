import type { ReleaseResource } from '../../src/platform/release.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { showVars, type ConfigVars } from '../lib/config-vars.ts';
import { newestReleases } from '../lib/releases.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  ofApp: true,
  args: { release: { is: 'optional', summary: 'v5, or v5.k3f9 where two bear the number; the newest' } },
  async run(context) {
    const { api, screen, args, world } = context;
    const appPath = await context.appPath();
    const release =
      args.release === undefined
        ? (await newestReleases(api, appPath, 1))[0]
        : await api.get<ReleaseResource>(`${appPath}/releases/${encodeURIComponent(args.release)}`);
    if (release === undefined) throw new CliError(`${await context.app()} has no releases`);
    if (screen.isJson) return screen.json(release);
    const vars = await api.get<ConfigVars>(`${appPath}/releases/${release.id}/config-vars`);
    screen.heading(`Release ${release.label}`);
    screen.line();
    screen.facts({
      By: release.user.email,
      Change: release.description,
      Status: release.status,
      Current: release.current ? 'yes' : 'no',
      Rollback: release.eligible_for_rollback
        ? 'possible'
        : `not possible: ${release.slug === null ? 'it has no slug' : 'it did not succeed'}`,
      When: formatMoment(release.created_at, world.now()),
    });
    screen.line();
    screen.heading(`${release.label} Config vars`);
    screen.line();
    showVars(context, vars);
  },
});
