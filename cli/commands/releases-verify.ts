import { defineCommand } from '../lib/line/command.ts';

type Verification = { readonly checked: number; readonly problems: readonly string[] };

export default defineCommand({
  ofApp: true,
  details:
    'Recomputes every hash and checks every signature of the releases, back to v1. Status 1 on any problem.',
  async run(context) {
    const { api, screen } = context;
    const app = await context.app();
    const found = await screen.progress(
      `Verifying the releases of ${screen.app(app)}`,
      () => api.get<Verification>(`/kith/apps/${encodeURIComponent(app)}/verify`, { timeoutMs: 10 * 60_000 }),
      ({ checked }) => `done, ${checked} checked`,
    );
    if (screen.isJson) screen.json(found);
    else if (found.problems.length === 0) screen.line('Every hash and signature is right.');
    else for (const problem of found.problems) screen.line(`${screen.paint.red('!')} ${problem}`);
    return found.problems.length === 0 ? 0 : 1;
  },
});
