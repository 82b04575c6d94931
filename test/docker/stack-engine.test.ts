import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, expect, test } from 'vitest';
import { findEngine } from '../../agent/lib/engine.ts';
import { findStackEngine, type StackEngine } from '../../agent/stack/engine.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const NAME = `kith/test-stack:${randomUUID()}`;
const BLOB = 'c'.repeat(64);

async function mustConnect(): Promise<StackEngine> {
  const engine = await findStackEngine();
  if (engine === null) throw new Error('No Docker Engine answers');
  return engine;
}

afterAll(async () => {
  const docker = await findEngine();
  await docker
    ?.getImage(NAME)
    .remove({ force: true })
    .catch(() => undefined);
});

test('a root file system becomes an image that tells which blob it was made from', async () => {
  await using dir = await tempDir('kith-stack-');
  const tar = pack();
  tar.entry({ name: './etc/motd' }, 'hello');
  tar.finalize();
  const path = join(dir.path, 'stack.tar.zst');
  await writeFile(path, zstdCompressSync(await buffer(tar)));
  const engine = await mustConnect();
  expect(await engine.image(NAME)).toBeNull();
  await engine.import(NAME, BLOB, path, AbortSignal.timeout(60_000));
  expect(await engine.image(NAME)).toEqual({ blob: BLOB });
});

test('a file that is damaged makes no image, and the import says so', async () => {
  await using dir = await tempDir('kith-stack-');
  const path = join(dir.path, 'stack.tar.zst');
  await writeFile(path, zstdCompressSync(Buffer.from('no tar '.repeat(2_000))).subarray(0, -4));
  const engine = await mustConnect();
  const name = `${NAME}-broken`;
  await expect(engine.import(name, BLOB, path, AbortSignal.timeout(60_000))).rejects.toThrow();
  expect(await engine.image(name)).toBeNull();
});

test('an image of a registry that cannot be reached is refused in the words of the Engine', async () => {
  const engine = await mustConnect();
  await expect(engine.pull('127.0.0.1:1/nothing:here', AbortSignal.timeout(60_000))).rejects.toThrow(
    '127.0.0.1:1',
  );
});
