import type { BuildResource } from '../../src/platform/build.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseCount } from '../lib/line/parse-count.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  ofApp: true,
  flags: { num: { kind: 'string', short: 'n', value: 'NUM', summary: 'how many, newest first (10)' } },
  async run(context) {
    const { api, screen, flags, world } = context;
    const range = `created_at ..; max=${parseCount('num', flags.num, 10)}, order=desc`;
    const builds = await api.get<readonly BuildResource[]>(await context.appPath('/builds'), { range });
    if (screen.isJson) return screen.json(builds);
    const app = await context.app();
    if (builds.length === 0)
      return screen.line(`${app} has no builds. Make one with \`git push kith main\`.`);
    screen.heading(`${app} Builds`);
    screen.line();
    const colour = { succeeded: screen.paint.green, failed: screen.paint.red, pending: screen.paint.yellow };
    screen.table(
      ['BUILD', 'STATUS', 'VERSION', 'USER', 'CREATED'],
      builds.map((build) => [
        build.id,
        colour[build.status](build.status),
        (build.source_blob.version ?? '').slice(0, 8),
        build.user.email,
        formatMoment(build.created_at, world.now()),
      ]),
    );
  },
});
