import type { VolumeResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/line/command.ts';
import { volumesPath } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: { name: { is: 'required', summary: 'what it is called in this app' } },
  flags: {
    peer: { kind: 'string', value: 'PEER', summary: 'the machine that has it (the one that is asked)' },
  },
  details:
    'A volume is a folder that outlives dynos and releases. It is on one machine, and so are the dynos that mount it.',
  examples: ['kith volumes:create data --peer pi', 'kith volumes:mount data web:/app/data'],
  async run(context) {
    const { api, screen, args, flags } = context;
    const app = await context.app();
    const volume = await screen.progress(
      `Creating volume ${screen.paintErr.cyan(args.name)} on ${screen.app(app)}`,
      () =>
        api.post<VolumeResource>(volumesPath(app), {
          name: args.name,
          ...(flags.peer === undefined ? {} : { peer: flags.peer }),
        }),
      ({ peer }) => `done, on ${peer.name}`,
    );
    if (screen.isJson) screen.json(volume);
  },
});
