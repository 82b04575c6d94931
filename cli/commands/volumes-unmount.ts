import type { VolumeResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/line/command.ts';
import { volumesPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'required', summary: 'name or id' } },
  details:
    'What is in the volume stays. Its dynos are replaced by such as do not see it, and may run anywhere.',
  async run(context) {
    const { api, screen, args } = context;
    const app = await context.app();
    const volume = await screen.progress(
      `Unmounting ${screen.paintErr.cyan(args.name)} on ${screen.app(app)}`,
      () => api.patch<VolumeResource>(volumesPath(app, args.name), { mount: null }),
    );
    if (screen.isJson) screen.json(volume);
  },
});
