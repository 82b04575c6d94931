import { createReadStream } from 'node:fs';
import { createZstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import { PlatformError } from '../../src/errors.ts';

/** A program that every stack has: dynos' commands are run by it. */
const PROGRAM = 'usr/bin/bash';
const ELF_MAGIC = 0x7f454c46;
/** e_machine of an ELF header, at this offset. */
const MACHINE_AT = 18;
const ARCHITECTURES: ReadonlyMap<number, string> = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);
const READ_MS = 60_000;

/**
 * The architecture of a stack, a `.tar.zst` of a root file system, by its shell.
 * @throws PlatformError `invalid_params` when the file is none
 */
export async function inspectStack(path: string): Promise<string> {
  const signal = AbortSignal.timeout(READ_MS);
  const file = createReadStream(path, { signal });
  const unpack = createZstdDecompress();
  const entries = extract();
  file.on('error', (error) => unpack.destroy(error));
  unpack.on('error', (error) => entries.destroy(error));
  file.pipe(unpack).pipe(entries);
  try {
    for await (const entry of entries) {
      if (entry.header.name.replace(/^\.?\//, '') === PROGRAM) return architectureOf(await firstBytes(entry));
      entry.resume();
    }
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw noStack('it is no .tar.zst file', cause);
  } finally {
    file.destroy();
    unpack.destroy();
    entries.destroy();
  }
  throw noStack(`it holds no "${PROGRAM}"`);
}

function architectureOf(program: Buffer): string {
  const isElf = program.length >= MACHINE_AT + 2 && program.readUInt32BE(0) === ELF_MAGIC;
  const arch = isElf ? ARCHITECTURES.get(program.readUInt16LE(MACHINE_AT)) : undefined;
  if (arch !== undefined) return arch;
  throw noStack(`its "${PROGRAM}" is for no machine that a stack can be for`);
}

async function firstBytes(entry: AsyncIterable<unknown>): Promise<Buffer> {
  for await (const chunk of entry) if (chunk instanceof Buffer) return chunk;
  return Buffer.alloc(0);
}

function noStack(found: string, cause?: unknown): PlatformError {
  return new PlatformError('invalid_params', `Cannot take this file as a stack: ${found}`, {
    hint: '`scripts/stack` makes one',
    cause,
  });
}
