import type { DynoSizeResource } from '../../src/platform/dyno-sizes.ts';
import type { FormationResource } from '../../src/platform/formation.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import type { Screen } from '../lib/print/screen.ts';

type Update = { readonly type: string; readonly size: string };

export default defineCommand({
  ofApp: true,
  args: { changes: { is: 'rest', summary: 'web=Standard-2X, or Standard-2X for all' } },
  examples: ['kith ps:type', 'kith ps:type web=standard-2x worker=standard-1x', 'kith ps:type standard-1x'],
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath('/formation');
    const formation = await api.get<readonly FormationResource[]>(path);
    if (args.changes.length === 0) {
      if (screen.isJson) return screen.json(formation);
      showTypes(screen, formation);
      return showSizes(screen, await api.get<readonly DynoSizeResource[]>('/dyno-sizes'));
    }
    const updates = parseChanges(args.changes, formation);
    const changed = await screen.progress(`Scaling dynos on ${screen.app(await context.app())}`, () =>
      api.patch<readonly FormationResource[]>(path, { updates }),
    );
    if (screen.isJson) return screen.json(changed);
    showTypes(screen, await api.get<readonly FormationResource[]>(path));
  },
});

function showTypes(screen: Screen, formation: readonly FormationResource[]): void {
  screen.heading('Process Types');
  screen.line();
  screen.table(
    ['TYPE', 'SIZE', 'QTY'],
    formation.map(({ type, size, quantity }) => [type, size, String(quantity)]),
  );
  screen.line();
}

function showSizes(screen: Screen, sizes: readonly DynoSizeResource[]): void {
  screen.heading('Sizes');
  screen.line();
  screen.table(
    ['SIZE', 'MEMORY'],
    sizes.map(({ name, memory }) => [name, `${memory} GB`]),
  );
}

/** `web=Standard-2X` each, or one size alone for every type. */
function parseChanges(
  changes: readonly string[],
  formation: readonly FormationResource[],
): readonly Update[] {
  const [only = ''] = changes;
  if (changes.length === 1 && /^[\w-]+$/.test(only)) {
    if (formation.length === 0)
      throw new UsageError('There are no process types to change', 'Deploy something first');
    return formation.map(({ type }) => ({ type, size: only }));
  }
  return changes.map((text) => {
    const [, type, size] = /^([\w-]+)=([\w-]+)$/.exec(text) ?? [];
    if (type !== undefined && size !== undefined) return { type, size };
    throw new UsageError(`"${text}" is no size of a process type`, 'Write it like web=Standard-2X');
  });
}
