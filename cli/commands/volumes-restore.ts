import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { VolumeInfoResource } from '../../src/platform/volume.ts';
import { defineCommand } from '../lib/command.ts';
import { confirm } from '../lib/confirm.ts';
import { COPY_MS, fileError, volumesPath, whileTold } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: {
    name: { is: 'required', summary: 'name or id' },
    file: { is: 'required', summary: 'what `kith volumes:backup` wrote' },
  },
  flags: {
    confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the volume, once more' },
  },
  details:
    'The archive is unpacked first; then the dynos of the volume are stopped, and see what was unpacked when they start.\nWhat was in the volume is kept for a week in the trash of its machine.',
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const path = volumesPath(app, args.name);
    const file = resolve(world.cwd, args.file);
    const { size } = await stat(file).catch((error: unknown) => {
      throw fileError(file, error);
    });
    const { name } = await api.get<VolumeInfoResource>(path);
    await confirm(world, name, flags.confirm, `This replaces all that is in the volume ${name} of ⬢ ${app}`);
    await screen.progress(`Restoring ${screen.paintErr.cyan(name)} of ${screen.app(app)}`, (update) =>
      whileTold(api, path, update, () =>
        api.upload(`${path}/restore`, { source: () => createReadStream(file), bytes: size }, COPY_MS),
      ),
    );
    if (screen.isJson) screen.json(await api.get<VolumeInfoResource>(path));
  },
});
