import type { AppResource } from '../../src/platform/app.ts';
import type { DynoResource } from '../../src/platform/dyno.ts';
import { formatBytes } from '../lib/print/bytes.ts';
import { defineCommand } from '../lib/line/command.ts';
import { APP_FLAGS } from '../lib/line/specs.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  args: { name: { is: 'optional' } },
  flags: APP_FLAGS,
  async run(context) {
    const { api, screen, args, world } = context;
    const path = args.name === undefined ? await context.appPath() : `/apps/${encodeURIComponent(args.name)}`;
    const app = await api.get<AppResource>(path);
    if (screen.isJson) return screen.json(app);
    const dynos = await api.get<readonly DynoResource[]>(`${path}/dynos`);
    screen.heading(app.name);
    screen.line();
    screen.facts({
      Created: formatMoment(app.created_at, world.now()),
      Dynos: countByType(dynos),
      'Git URL': app.git_url,
      Language: app.buildpack_provided_description ?? undefined,
      Maintenance: app.maintenance ? 'on' : 'off',
      Owner: app.owner.email,
      Released: app.released_at === null ? undefined : formatMoment(app.released_at, world.now()),
      'Slug Size': formatBytes(app.slug_size ?? 0),
      Stack: app.stack.name,
      'Web URL': app.web_url,
    });
  },
});

/** While one dyno replaces another, both run: they fill one place. */
function countByType(dynos: readonly DynoResource[]): string {
  const places = Map.groupBy(dynos, ({ type }) => type);
  return [...places]
    .map(([type, ofType]) => `${type}: ${new Set(ofType.map(({ name }) => name)).size}`)
    .join(', ');
}
