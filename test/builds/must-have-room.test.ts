import { statfs } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { mustHaveRoom } from '../../agent/builds/must-have-room.ts';
import { tempDir } from '../helpers/temp-dir.ts';

test('a build is refused before it begins where the disk has too little room for it', async () => {
  await using dir = await tempDir();
  const { blocks, bsize } = await statfs(dir.path);
  const all = Math.ceil((blocks * bsize) / 1024 ** 2) + 1;
  await expect(mustHaveRoom(dir.path, all)).rejects.toMatchObject({
    code: 'disk_full',
    message: expect.stringMatching(/\d+ MiB are free .* a build needs \d+ MiB/),
  });
  await expect(mustHaveRoom(dir.path, 0)).resolves.toBeUndefined();
});
