import { execFile } from 'node:child_process';
import { lstat, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { unpackSource } from '../../agent/builds/source.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { tarOf } from './tar-of.ts';

const run = promisify(execFile);

async function unpack(archive: Uint8Array, bytesMax?: number) {
  const dir = await tempDir();
  await mkdir(join(dir.path, 'app'));
  // In pieces of an odd size, so that headers and contents are cut anywhere.
  const pieces = Array.from({ length: Math.ceil(archive.length / 777) }, (_, n) =>
    Buffer.from(archive.subarray(n * 777, n * 777 + 777)),
  );
  try {
    await unpackSource(Readable.from(pieces), join(dir.path, 'app'), bytesMax);
  } catch (error) {
    expect((await readdir(dir.path)).sort()).toEqual(['app']);
    await dir[Symbol.asyncDispose]();
    throw error;
  }
  return { path: join(dir.path, 'app'), [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test.each(['gnu', 'pax', 'ustar'])(
  'an archive that tar writes (%s) is unpacked as it was',
  async (format) => {
    await using dir = await tempDir();
    const long = 'n'.repeat(format === 'ustar' ? 60 : 150);
    await mkdir(join(dir.path, 'in', long), { recursive: true });
    await writeFile(join(dir.path, 'in', long, `${long}.txt`), 'ä'.repeat(5_000));
    await writeFile(join(dir.path, 'in', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    await writeFile(join(dir.path, 'in', 'empty'), '');
    await symlink('run.sh', join(dir.path, 'in', 'link'));
    await run('tar', [
      `--format=${format}`,
      '-C',
      join(dir.path, 'in'),
      '-czf',
      join(dir.path, 'x.tgz'),
      '.',
    ]);
    await using out = await unpack(await readFile(join(dir.path, 'x.tgz')));
    expect(await readFile(join(out.path, long, `${long}.txt`), 'utf8')).toBe('ä'.repeat(5_000));
    expect((await lstat(join(out.path, 'run.sh'))).mode & 0o777).toBe(0o755);
    expect(await readFile(join(out.path, 'link'), 'utf8')).toBe('#!/bin/sh\n');
    expect((await readdir(out.path)).sort()).toEqual(['empty', 'link', long, 'run.sh'].sort());
  },
);

test.each([
  ['a path that climbs out', [{ path: '../evil', body: 'x' }]],
  ['a path that climbs out midway', [{ path: 'a/../../evil', body: 'x' }]],
  ['an absolute path', [{ path: '/tmp/kith-evil', body: 'x' }]],
  ['a link out', [{ path: 'out', type: '2', link: '../../..' }]],
  ['an absolute link', [{ path: 'out', type: '2', link: '/etc/passwd' }]],
  [
    'a link that goes out through another link',
    [
      { path: 'sub/', type: '5' },
      { path: 'sub/up', type: '2', link: '..' },
      { path: 'sub/out', type: '2', link: 'up/../..' },
    ],
  ],
  [
    'a file written through a link',
    [
      { path: 'd', type: '2', link: 'e' },
      { path: 'd/file', body: 'x' },
    ],
  ],
  ['a hard link to what is not in it', [{ path: 'shadow', type: '1', link: 'etc/shadow' }]],
  ['a hard link out', [{ path: 'shadow', type: '1', link: '../shadow' }]],
  ['a device', [{ path: 'null', type: '3' }]],
  ['a pipe', [{ path: 'pipe', type: '6' }]],
] as const)('an archive with %s is refused', async (_, entries) => {
  await expect(unpack(tarOf(entries))).rejects.toMatchObject({ code: 'bad_request' });
});

test('an archive that is larger than allowed is refused before it fills the disk', async () => {
  const bomb = gzipSync(tarOf([{ path: 'zeros', body: '\0'.repeat(2_000_000) }]));
  await expect(unpack(bomb, 1_000_000)).rejects.toMatchObject({ code: 'too_large' });
});

test('what is no archive, or a torn one, is refused', async () => {
  await expect(unpack(Buffer.from('x'.repeat(2_000)))).rejects.toMatchObject({ code: 'bad_request' });
  const whole = tarOf([{ path: 'file', body: 'x'.repeat(3_000) }]);
  await expect(unpack(whole.subarray(0, 2_000))).rejects.toMatchObject({ code: 'bad_request' });
  const zipped = gzipSync(whole);
  await expect(unpack(zipped.subarray(0, zipped.length - 20))).rejects.toMatchObject({ code: 'bad_request' });
});
