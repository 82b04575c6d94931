import type { VolumeResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/line/command.ts';
import { COPY_MS, volumesPath, whileTold } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: {
    name: { is: 'required', summary: 'name or id' },
    peer: { is: 'required', summary: 'the machine that shall have it' },
  },
  details:
    'Its dynos are stopped, its files copied, and its dynos started there. Should either machine die on the way, the volume is where it was, or where it was to go: never in two places, and never in none.',
  async run(context) {
    const { api, screen, args } = context;
    const app = await context.app();
    const path = volumesPath(app, args.name);
    const moved = await screen.progress(
      `Moving ${screen.paintErr.cyan(args.name)} of ${screen.app(app)} to ${args.peer}`,
      (update) =>
        whileTold(api, path, update, () =>
          api.post<VolumeResource>(`${path}/move`, { peer: args.peer }, { timeoutMs: COPY_MS }),
        ),
    );
    if (screen.isJson) screen.json(moved);
  },
});
