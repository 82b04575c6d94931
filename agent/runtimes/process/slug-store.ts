import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { chown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createZstdDecompress } from 'node:zlib';
import { PlatformError } from '../../../src/errors.ts';

/** Prefixes of folders beside the unpacked slugs. Ids never begin with a dot. */
const UNFINISHED = '.unfinished-';
const SPARE = '.spare-';

/**
 * Unpacked slugs, DIR/slugs/ID: nobody writes there, each dyno gets a copy. A prepared slug also has one copy in spare,
 * so that the first start after a failover is a rename rather than a copy of a whole node_modules.
 */
export class SlugStore {
  readonly #dir: string;
  readonly #unpackUid: number | null;
  readonly #unpacking = new Map<string, Promise<void>>();
  /** How many calls are using a slug: such a one is not collected. */
  readonly #inUse = new Map<string, number>();

  private constructor(dir: string, unpackUid: number | null) {
    this.#dir = dir;
    this.#unpackUid = unpackUid;
  }

  /** @param unpackUid user to unpack as when the agent is root: a tar may hold device nodes, which only root can make */
  static async open(dir: string, unpackUid: number | null): Promise<SlugStore> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const store = new SlugStore(dir, unpackUid);
    const names = await readdir(dir);
    await Promise.all(names.filter((name) => name.startsWith(UNFINISHED)).map((name) => store.#remove(name)));
    return store;
  }

  /** Unpacks it unless that was done, and makes the spare copy. */
  async prepare(id: string, path: string): Promise<void> {
    using _ = this.#use(id);
    await this.#unpackOnce(id, path);
    const spare = this.#path(SPARE + id);
    if (existsSync(spare)) return;
    const copy = this.#path(`${UNFINISHED}${randomUUID()}`);
    await this.#copy(id, copy);
    try {
      await rename(copy, spare);
    } catch (error) {
      await rm(copy, { recursive: true, force: true });
      // Another call was first; its copy may even have been taken since.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  }

  /** Makes the spare copy again after a start took it. */
  async respare(id: string): Promise<void> {
    if (existsSync(this.#path(id))) await this.prepare(id, '');
  }

  /** Makes `dest` a copy of the slug. */
  async copyTo(id: string, path: string, dest: string): Promise<void> {
    using _ = this.#use(id);
    await this.#unpackOnce(id, path);
    try {
      await rename(this.#path(SPARE + id), dest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        await rm(dest, { recursive: true, force: true });
      await this.#copy(id, dest);
    }
  }

  async collect(keep: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#dir)) {
      if (name.startsWith(UNFINISHED)) continue;
      const id = name.startsWith(SPARE) ? name.slice(SPARE.length) : name;
      if (keep.has(id) || this.#inUse.has(id)) continue;
      // First out of the way in one step: a half-removed slug must never look like a whole one.
      const gone = `${UNFINISHED}${randomUUID()}`;
      await rename(this.#path(name), this.#path(gone));
      await this.#remove(gone);
    }
  }

  async #unpackOnce(id: string, path: string): Promise<void> {
    if (existsSync(this.#path(id))) return;
    const running = this.#unpacking.get(id) ?? this.#unpack(id, path);
    this.#unpacking.set(id, running);
    try {
      await running;
    } finally {
      this.#unpacking.delete(id);
    }
  }

  async #unpack(id: string, path: string): Promise<void> {
    const unfinished = this.#path(`${UNFINISHED}${randomUUID()}`);
    await mkdir(unfinished, { mode: 0o755 });
    try {
      const uid = this.#unpackUid;
      if (uid !== null) await chown(unfinished, uid, uid);
      await extract(path, unfinished, uid);
      await rename(unfinished, this.#path(id));
    } catch (cause) {
      await rm(unfinished, { recursive: true, force: true });
      throw slugError(id, path, cause);
    }
  }

  async #copy(id: string, dest: string): Promise<void> {
    try {
      // One process for the whole tree: a few thousand files take about 100 ms.
      await promisify(execFile)('cp', ['-a', '--reflink=auto', this.#path(id), dest]);
    } catch (cause) {
      throw slugError(id, this.#path(id), cause);
    }
  }

  /** Keeps a slug from being collected until disposed. */
  #use(id: string): Disposable {
    this.#inUse.set(id, (this.#inUse.get(id) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#inUse.get(id) ?? 1) - 1;
        if (left === 0) this.#inUse.delete(id);
        else this.#inUse.set(id, left);
      },
    };
  }

  #path(name: string): string {
    return join(this.#dir, name);
  }

  async #remove(name: string): Promise<void> {
    await rm(this.#path(name), { recursive: true, force: true });
  }
}

async function extract(path: string, dir: string, uid: number | null): Promise<void> {
  const user = uid === null ? {} : { uid, gid: uid };
  const tar = spawn('tar', ['-x', '--no-same-owner', '-p'], {
    cwd: dir,
    stdio: ['pipe', 'ignore', 'pipe'],
    ...user,
  });
  let said = '';
  tar.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-500)));
  const closed = once(tar, 'close') as Promise<[number | null]>;
  const fed = pipeline(createReadStream(path), createZstdDecompress(), tar.stdin);
  const [end, feed] = await Promise.allSettled([closed, fed]);
  if (end.status === 'rejected') throw end.reason;
  if (end.value[0] !== 0) throw new Error(`tar: ${said.trim()}`);
  // tar stops reading at its end mark: that the padding behind it found nobody is no failure.
  if (feed.status === 'rejected' && !isReaderGone(feed.reason)) throw feed.reason;
}

function isReaderGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function slugError(id: string, path: string, cause: unknown): PlatformError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const isFull = /ENOSPC|No space left/.test(reason);
  const hint = isFull ? 'Free some disk space on this peer' : 'The slug may be damaged: deploy the app again';
  return new PlatformError(
    isFull ? 'disk_full' : 'internal',
    `Cannot unpack slug "${id}" from "${path}": ${reason}`,
    { hint, cause },
  );
}
