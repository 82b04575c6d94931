import { spawn } from 'node:child_process';
import { open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import { eachLine } from './each-line.ts';

export const SLUG_BYTES_MAX = 500 * 1024 * 1024;
const UNPACKED_BYTES_MAX = 4 * 1024 ** 3;
// What zstd makes depends on where its input was cut, and a pipe cuts where it likes.
const BLOCK_BYTES = 1024 * 1024;
/** A third of the time of level 3, which the person who pushes waits for, at an eighth more bytes. */
const ZSTD_LEVEL = 1;
// Equal trees make equal slugs: one order, one owner, one time. Not 1970: zip refuses times before 1980.
const TAR_ARGS = [
  '--sort=name',
  '--mtime=@1000000000',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--format=gnu',
  // Names to leave out are whole paths, not patterns.
  '--anchored',
  '--no-wildcards',
];

export type Packed = { readonly id: BlobId; readonly bytes: number; readonly unpackedBytes: number };

export type PackOptions = {
  /** Paths below the folder that stay out, each with all below it. */
  readonly without?: readonly string[];
  /** What the slug's layers take of its limits. */
  readonly layers?: readonly Packed[];
};

/**
 * Packs a folder as `.tar.zst` straight into the blob store.
 * @throws PlatformError `build_failed` when the slug is too large, `disk_full` from the store
 */
export async function packSlug(
  dir: string,
  blobs: Pick<Blobs, 'write'>,
  signal: AbortSignal,
  { without = [], layers = [] }: PackOptions = {},
): Promise<Packed> {
  const excludes = without.map((path) => `--exclude=./${path}`);
  const tar = spawn('tar', [...TAR_ARGS, ...excludes, '-C', dir, '-cf', '-', '.'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  });
  const complaints: string[] = [];
  const said = eachLine(tar.stderr, (line) => complaints.push(line));
  const status = new Promise<number | null>((resolve, reject) => {
    tar.once('error', reject).once('close', resolve);
  });
  const zstd = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    chunkSize: BLOCK_BYTES,
  });
  const unpacked = new Limit(UNPACKED_BYTES_MAX, 'unpacked', sum(layers, 'unpackedBytes'));
  const packed = new Limit(SLUG_BYTES_MAX, 'compressed', sum(layers, 'bytes'));
  /** Ends well only if tar did, so that a torn tar never becomes a blob. */
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield* packed;
    if ((await status) !== 0)
      throw new PlatformError('internal', `Cannot pack the slug: ${complaints.join('; ')}`);
  };
  try {
    const [slug] = await Promise.all([
      blobs.write(Readable.from(whole(), { objectMode: false })),
      pipeline(tar.stdout, unpacked, inBlocks, zstd, packed, { signal }),
      status,
      said,
    ]);
    return { ...slug, unpackedBytes: unpacked.bytes };
  } finally {
    tar.kill('SIGKILL');
  }
}

/** The same bytes in blocks of one size, the last excepted: equal trees then make equal slugs, whichever peer packs them. */
async function* inBlocks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let block = Buffer.alloc(BLOCK_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length;) {
      const copied = chunk.copy(block, filled, taken);
      taken += copied;
      filled += copied;
      if (filled < BLOCK_BYTES) continue;
      yield block;
      block = Buffer.alloc(BLOCK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

function sum(layers: readonly Packed[], what: 'bytes' | 'unpackedBytes'): number {
  return layers.reduce((bytes, layer) => bytes + layer[what], 0);
}

/** Counts what passes, and breaks once that and what lies under it are more than the limit. */
class Limit extends Transform {
  bytes = 0;
  readonly #bytesMax: number;
  readonly #what: string;
  readonly #bytesBelow: number;

  constructor(bytesMax: number, what: string, bytesBelow: number) {
    super();
    this.#bytesMax = bytesMax;
    this.#what = what;
    this.#bytesBelow = bytesBelow;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.#bytesBelow + this.bytes <= this.#bytesMax) {
      done(null, chunk);
      return;
    }
    const limit = `${Math.floor(this.#bytesMax / 1024 ** 2)}M`;
    done(
      new PlatformError('build_failed', `The slug is too large: ${this.#what} it exceeds ${limit}`, {
        hint: 'List what is not needed at run time in .slugignore',
      }),
    );
  }
}

/**
 * The architecture a slug needs: this host's where anything in it is machine code, else `any`. Only files that could be
 * run or loaded are looked at.
 */
export async function slugArch(dir: string, hostArch: string): Promise<string> {
  for await (const entry of await opendir(dir, { recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (await isMachineCode(path)) return hostArch;
  }
  return 'any';
}

async function isMachineCode(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(4);
    await file.read(head, 0, 4, 0);
    return head.toString('latin1') === '\x7fELF';
  } finally {
    await file.close();
  }
}
