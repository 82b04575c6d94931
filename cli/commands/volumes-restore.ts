import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { VolumeInfoResource, VolumeResource } from '../../src/platform/volume.ts';
import type { Client } from '../lib/api/client.ts';
import { UsageError } from '../lib/line/cli-error.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';
import { fileError } from '../lib/line/file-error.ts';
import { COPY_MS, volumesPath, whileTold } from '../lib/volumes.ts';

export default defineCommand({
  ofApp: true,
  args: {
    name: { is: 'required', summary: 'name or id' },
    file: { is: 'optional', summary: 'what `kith volumes:backup` wrote' },
  },
  flags: {
    from: { kind: 'string', value: 'BACKUP', summary: 'a backup that a peer keeps, instead of a file' },
    confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the volume, once more' },
  },
  details:
    'The archive is unpacked first; then the dynos of the volume are stopped, and see what was unpacked when they start. What was in the volume is kept for a week in the trash of its machine.',
  examples: ['kith volumes:restore data data-monday.tar.zst', 'kith volumes:restore data --from 1f0c22ab'],
  async run(context) {
    const { api, screen, args, flags, world } = context;
    const app = await context.app();
    const path = volumesPath(app, args.name);
    const restore = await restoreOf(api, path, flags.from, args.file && resolve(world.cwd, args.file));
    const { name } = await api.get<VolumeInfoResource>(path);
    await confirm(world, name, flags.confirm, `This replaces all that is in the volume ${name} of ⬢ ${app}`);
    await screen.progress(`Restoring ${screen.paintErr.cyan(name)} of ${screen.app(app)}`, (update) =>
      whileTold(api, path, update, restore),
    );
    if (screen.isJson) screen.json(await api.get<VolumeInfoResource>(path));
  },
});

/** How to restore from what was named; a file is looked at before anything is asked. */
async function restoreOf(
  api: Client,
  path: string,
  backup: string | undefined,
  file: string | undefined,
): Promise<() => Promise<unknown>> {
  if ((backup === undefined) === (file === undefined)) {
    throw new UsageError('Cannot tell what to restore', 'Name either a file, or a backup with --from');
  }
  if (file === undefined) {
    return () => api.post<VolumeResource>(`${path}/restore`, { backup }, { timeoutMs: COPY_MS });
  }
  const { size } = await stat(file).catch((error: unknown) => {
    throw fileError(file, error);
  });
  return () => api.upload(`${path}/restore`, { source: () => createReadStream(file), bytes: size }, COPY_MS);
}
