import type { FormationResource } from '../../src/platform/formation.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';

type Update = { readonly type: string; readonly quantity: string; readonly size?: string };

export default defineCommand({
  ofApp: true,
  args: { changes: { is: 'rest', summary: 'web=3, worker+1, web=2:Standard-2X' } },
  examples: ['kith ps:scale', 'kith ps:scale web=3 worker+1'],
  async run(context) {
    const { api, screen, args } = context;
    const path = await context.appPath('/formation');
    if (args.changes.length === 0) {
      const formation = await api.get<readonly FormationResource[]>(path);
      if (screen.isJson) return screen.json(formation);
      if (formation.length === 0) return screen.line(`No process types on ⬢ ${await context.app()}`);
      return screen.line(
        formation.map(({ type, quantity, size }) => `${type}=${quantity}:${size}`).join(' '),
      );
    }
    const updates = args.changes.map(parseChange);
    const changed = await screen.progress(
      'Scaling dynos',
      () => api.patch<readonly FormationResource[]>(path, { updates }),
      (after) =>
        `done, now running ${after.map(({ type, quantity, size }) => `${type} at ${quantity}:${size}`).join(', ')}`,
    );
    if (screen.isJson) screen.json(changed);
  },
});

function parseChange(text: string): Update {
  const [, type, sign, count, size] = /^([\w-]+)([=+-])(\d{1,5})(?::([\w-]+))?$/.exec(text) ?? [];
  if (type === undefined || sign === undefined || count === undefined) {
    throw new UsageError(
      `"${text}" is no change of a process type`,
      'Write it like web=3, worker+1 or web=2:Standard-2X',
    );
  }
  const quantity = sign === '=' ? count : `${sign}${count}`;
  return { type, quantity, ...(size === undefined ? {} : { size }) };
}
