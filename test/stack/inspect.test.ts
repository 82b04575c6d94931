import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { inspectStack } from '../../agent/stack/inspect.ts';
import { tempDir } from '../helpers/temp-dir.ts';

/** A stack file whose shell is a program for the machine of this ELF number. */
async function stackFile(dir: string, name: string, machine: number | null): Promise<string> {
  const tar = pack();
  tar.entry({ name: './etc/', type: 'directory' });
  tar.entry({ name: './etc/motd' }, 'hello');
  if (machine !== null) {
    const program = Buffer.alloc(64);
    program.write('\x7fELF', 'latin1');
    program.writeUInt16LE(machine, 18);
    tar.entry({ name: './usr/bin/bash' }, program);
  }
  tar.finalize();
  const path = join(dir, name);
  await writeFile(path, zstdCompressSync(await buffer(tar)));
  return path;
}

test('a stack is for the machine that its shell is a program of', async () => {
  await using dir = await tempDir('kith-stack-');
  expect(await inspectStack(await stackFile(dir.path, 'x64', 62))).toBe('x64');
  expect(await inspectStack(await stackFile(dir.path, 'arm64', 183))).toBe('arm64');
});

test('a file that is no stack is refused with what was found', async () => {
  await using dir = await tempDir('kith-stack-');
  const text = join(dir.path, 'text');
  await writeFile(text, 'no archive at all');
  await expect(inspectStack(text)).rejects.toThrow(
    'Cannot take this file as a stack: it is no .tar.zst file',
  );
  await expect(inspectStack(await stackFile(dir.path, 'empty', null))).rejects.toThrow(
    'it holds no "usr/bin/bash"',
  );
  await expect(inspectStack(await stackFile(dir.path, 'mips', 8))).rejects.toThrow('for no machine');
});
