import { execFile, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';

/** Owners by number, times, extended attributes and holes are kept. */
const PACK = [
  '--create',
  '--format=posix',
  '--numeric-owner',
  '--xattrs',
  '--acls',
  '--sparse',
  '--file=-',
  '.',
];
const UNPACK = ['--extract', '--numeric-owner', '--preserve-permissions', '--xattrs', '--acls', '--file=-'];
const ENV = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };

/** Packs a folder as `.tar.zst` into the blob store. `onBytes` hears how much of it was read. */
export async function packVolume(
  dir: string,
  blobs: Pick<Blobs, 'write'>,
  onBytes: (bytes: number) => void,
): Promise<{ readonly id: BlobId; readonly bytes: number }> {
  const tar = spawn('tar', PACK, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'], env: ENV });
  const ended = endOf(tar);
  const packed = createZstdCompress();
  /** Ends well only if tar did, so that a torn tar never becomes a blob. */
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield* packed;
    await ended;
  };
  try {
    const [blob] = await Promise.all([
      blobs.write(Readable.from(whole(), { objectMode: false })),
      pipeline(tar.stdout, new Counter(onBytes), packed),
      ended,
    ]);
    return blob;
  } finally {
    tar.kill('SIGKILL');
  }
}

/** Unpacks such an archive into an empty folder, and has it all on the disk. Throws `invalid_params` for another file. */
export async function unpackVolume(
  path: string,
  dir: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const owners = process.getuid?.() === 0 ? '--same-owner' : '--no-same-owner';
  const tar = spawn('tar', [...UNPACK, owners], { cwd: dir, stdio: ['pipe', 'ignore', 'pipe'], env: ENV });
  const fed = pipeline(createReadStream(path), createZstdDecompress(), new Counter(onBytes), tar.stdin);
  const [end, feed] = await Promise.allSettled([endOf(tar), fed]);
  const fault = feed.status === 'rejected' && !isReaderGone(feed.reason) ? feed : end;
  if (fault.status === 'rejected') {
    const cause: unknown = fault.reason;
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new PlatformError('invalid_params', `Cannot unpack the archive of a volume: ${found}`, {
      hint: 'It must be a file that `kith volumes:backup` made, and this peer must have room for it',
      cause,
    });
  }
  await disarm(dir);
  await promisify(execFile)('sync', ['-f', dir]);
}

/** An archive may come from anywhere: what would be more than a file to this host is none afterwards. */
async function disarm(dir: string): Promise<void> {
  const devices = ['(', '-type', 'b', '-o', '-type', 'c', ')', '-delete'];
  const setIds = ['-type', 'f', '-perm', '/6000', '-exec', 'chmod', 'ug-s', '{}', '+'];
  await promisify(execFile)('find', [dir, '-xdev', '(', ...devices, ')', '-o', '(', ...setIds, ')']);
}

async function endOf(tar: ReturnType<typeof spawn>): Promise<void> {
  let said = '';
  tar.stderr?.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-500)));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  tar.once('error', reject).once('close', resolve);
  const status = await promise;
  if (status !== 0) throw new Error(said.trim() || `tar ended with status ${status}`);
}

/** tar stops reading at its end mark: that the padding behind it found nobody is no failure. */
function isReaderGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

class Counter extends Transform {
  #bytes = 0;
  readonly #onBytes: (bytes: number) => void;

  constructor(onBytes: (bytes: number) => void) {
    super();
    this.#onBytes = onBytes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length;
    this.#onBytes(this.#bytes);
    done(null, chunk);
  }
}
