import type { VolumeResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/line/command.ts';
import { parseMount, volumesPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: {
    name: { is: 'required', summary: 'name or id' },
    place: { is: 'required', summary: 'TYPE:/PATH, as in web:/app/data' },
  },
  details:
    'Dynos of that process type are replaced by such as see the volume. They run where it is, and nowhere else; and from now on the old dyno is stopped before the new one starts, so that no two write to it at once.',
  examples: ['kith volumes:mount data web:/app/data'],
  async run(context) {
    const { api, screen, args } = context;
    const app = await context.app();
    const mount = parseMount(args.place);
    const volume = await screen.progress(
      `Mounting ${screen.paintErr.cyan(args.name)} at ${args.place} on ${screen.app(app)}`,
      () => api.patch<VolumeResource>(volumesPath(app, args.name), { mount }),
    );
    if (screen.isJson) return screen.json(volume);
    const where = `now run on ${volume.peer.name} alone`;
    if (mount.type === 'run') return screen.note(`One-off dynos without a --type ${where}`);
    if (mount.type === 'release') return screen.note(`Release commands ${where}`);
    screen.note(`Dynos of ${mount.type} ${where}, and are replaced stop-first:`);
    screen.note('each deploy or restart is a short pause for them.');
  },
});
