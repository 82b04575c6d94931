import type { BuildResource } from '../../src/platform/build.ts';
import { followBuild } from '../lib/deploy/build-output.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { id: { is: 'optional', summary: 'id of the build; the newest where none is given' } },
  async run(context) {
    const { api, screen, args } = context;
    const builds = await context.appPath('/builds');
    const build =
      args.id === undefined
        ? (await api.get<readonly BuildResource[]>(builds, { range: 'created_at ..; max=1, order=desc' }))[0]
        : await api.get<BuildResource>(`${builds}/${encodeURIComponent(args.id)}`);
    if (build === undefined) throw new CliError(`${await context.app()} has no builds`);
    if (screen.isJson) return screen.json(build);
    await followBuild(context, `${builds}/${build.id}`, build);
  },
});
