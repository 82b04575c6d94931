import type { VolumeResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMount, paintVolumeState, volumesPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  async run(context) {
    const { api, screen } = context;
    const app = await context.app();
    const volumes = await api.get<readonly VolumeResource[]>(volumesPath(app));
    if (screen.isJson) return screen.json(volumes);
    if (volumes.length === 0) {
      screen.line(`No volumes on ⬢ ${app}`);
      return;
    }
    screen.table(
      ['VOLUME', 'STATE', 'PEER', 'MOUNTED AT'],
      volumes.map((volume) => [
        volume.name,
        paintVolumeState(volume, screen.paint),
        volume.peer.name,
        formatMount(volume),
      ]),
    );
  },
});
