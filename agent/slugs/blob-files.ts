import assert from 'node:assert/strict';
import { createHash, randomUUID, type Hash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';
import { isBlobId } from './blob-channel.ts';

const TEMP_PREFIX = 'tmp-';
// Free space is looked at this often while bytes come in: rare enough to be free, small beside any sane floor.
const FREE_CHECK_BYTES = 16 * 1024 * 1024;

/** A folder of files named by their SHA-256. What has its final name is whole and durable. */
export class BlobFiles {
  readonly dir: string;
  readonly #freeBytesMin: number;

  private constructor(dir: string, freeBytesMin: number) {
    this.dir = dir;
    this.#freeBytesMin = freeBytesMin;
  }

  /** Makes the folder, removes what a crash left half-written, and says which blobs (and bytes) are there. */
  static async open(
    dir: string,
    freeBytesMin: number,
  ): Promise<{ files: BlobFiles; found: Map<BlobId, number> }> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const found = new Map<BlobId, number>();
    for (const name of await readdir(dir)) {
      if (name.startsWith(TEMP_PREFIX)) await rm(join(dir, name), { force: true });
      else if (isBlobId(name)) found.set(name, (await stat(join(dir, name))).size);
    }
    return { files: new BlobFiles(dir, freeBytesMin), found };
  }

  path(id: BlobId): string {
    return join(this.dir, id);
  }

  remove(id: BlobId): Promise<void> {
    return rm(this.path(id), { force: true });
  }

  /** Throws `disk_full` when `bytes` more would leave less than the floor. */
  async mustHaveRoom(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.dir);
    const free = bavail * bsize;
    if (free - bytes >= this.#freeBytesMin) return;
    const mib = (value: number): number => Math.floor(value / 1024 / 1024);
    throw new PlatformError(
      'disk_full',
      `Cannot store ${mib(bytes)} MiB in "${this.dir}": ${mib(free)} MiB are free, ${mib(this.#freeBytesMin)} MiB must stay free`,
      { hint: 'Free some space on this host, or deploy to another peer' },
    );
  }

  async create(): Promise<BlobDraft> {
    await this.mustHaveRoom(0);
    const path = join(this.dir, `${TEMP_PREFIX}${randomUUID()}`);
    return new BlobDraft(this, path, await open(path, 'wx', 0o600));
  }
}

/** A blob on its way in: hashed as it comes, visible only after `commit`. */
export class BlobDraft {
  readonly #files: BlobFiles;
  readonly #path: string;
  readonly #file: FileHandle;
  #hash: Hash = createHash('sha256');
  #bytes = 0;
  #uncheckedBytes = 0;

  constructor(files: BlobFiles, path: string, file: FileHandle) {
    this.#files = files;
    this.#path = path;
    this.#file = file;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#uncheckedBytes += chunk.length;
    if (this.#uncheckedBytes >= FREE_CHECK_BYTES) {
      await this.#files.mustHaveRoom(this.#uncheckedBytes);
      this.#uncheckedBytes = 0;
    }
    try {
      for (let done = 0; done < chunk.length;) {
        const { bytesWritten } = await this.#file.write(chunk, done, chunk.length - done, this.#bytes + done);
        done += bytesWritten;
      }
    } catch (cause) {
      if (!isNoSpace(cause)) throw cause;
      throw new PlatformError('disk_full', `Cannot write to "${this.#files.dir}": no space left`, { cause });
    }
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Forgets what came so far: it was a lie. */
  async reset(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  digest(): BlobId {
    const id = this.#hash.copy().digest('hex');
    assert(isBlobId(id));
    return id;
  }

  /** Makes it durable under its name: the file's bytes first, then the folder's entry. */
  async commit(): Promise<BlobId> {
    const id = this.digest();
    await this.#file.sync();
    await this.#file.close();
    await rename(this.#path, this.#files.path(id));
    const folder = await open(this.#files.dir, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    return id;
  }

  /** Undoes everything; harmless after `commit`. */
  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#path, { force: true });
  }
}

function isNoSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
