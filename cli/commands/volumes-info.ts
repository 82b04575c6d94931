import type { VolumeInfoResource } from '../../src/platform/volume.ts';
import { formatBytes } from '../lib/print/bytes.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMoment } from '../lib/print/time.ts';
import { formatMount, paintVolumeState, volumesPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'required', summary: 'name or id' } },
  async run(context) {
    const { api, screen, args, world } = context;
    const volume = await api.get<VolumeInfoResource>(volumesPath(await context.app(), args.name));
    if (screen.isJson) return screen.json(volume);
    const doing = volume.doing === null ? '' : ` (${volume.doing})`;
    screen.heading(volume.name);
    screen.line();
    screen.facts({
      Id: volume.id,
      State: `${paintVolumeState(volume, screen.paint)}${doing}`,
      Peer: volume.peer.name,
      'Mounted at': formatMount(volume) || undefined,
      Size: volume.bytes === null ? undefined : formatBytes(volume.bytes),
      Created: formatMoment(volume.created_at, world.now()),
    });
  },
});
