import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownVolumes } from '../../agent/runtimes/lib/volumes.ts';
import { tempDir } from '../helpers/temp-dir.ts';

test('an agent that may not change owners refuses a volume that its dynos could not write, and says what helps', async () => {
  await using temp = await tempDir('kith-volumes-');
  const source = join(temp.path, 'volume');
  await mkdir(source);
  const { uid } = await stat(source);
  const volumes = [{ source, path: '/app/data' }];
  await ownVolumes(volumes, uid, false);
  await expect(ownVolumes(volumes, uid + 1, false)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('"/app/data"') as string,
    hint: expect.stringContaining('--runtime process') as string,
  });
  expect((await stat(source)).uid).toBe(uid);
});
