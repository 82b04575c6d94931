import type { VolumeInfoResource, VolumeResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';
import { volumesPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'required', summary: 'name or id' } },
  flags: {
    confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the volume, once more' },
  },
  details: 'It must be unmounted first. Its files are kept for a week in the trash of its machine.',
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const { id, name } = await api.get<VolumeInfoResource>(volumesPath(app, args.name));
    await confirm(world, name, flags.confirm, `This destroys the volume ${name} of ⬢ ${app}`);
    const destroyed = await screen.progress(`Destroying ${name} of ${screen.app(app)}`, () =>
      api.delete<VolumeResource>(volumesPath(app, id)),
    );
    if (screen.isJson) screen.json(destroyed);
  },
});
