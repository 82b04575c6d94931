import type { BuildResource } from '../../src/platform/build.ts';
import { CliError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  ofApp: true,
  args: { build: { is: 'optional', summary: 'id of the build; the newest' } },
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath('/builds');
    const id = args.build ?? underWay(await api.get<readonly BuildResource[]>(path));
    const build = await screen.progress(`Cancelling the build ${id}`, () =>
      api.delete<BuildResource>(`${path}/${encodeURIComponent(id)}`),
    );
    if (screen.isJson) screen.json(build);
  },
});

function underWay(builds: readonly BuildResource[]): string {
  const found = builds.findLast(({ status }) => status === 'pending');
  if (found !== undefined) return found.id;
  throw new CliError('No build is under way', { hint: 'See `kith builds`' });
}
