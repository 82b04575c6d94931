import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError } from '../../../src/errors.ts';
import type { SlugFile, SlugFiles } from '../../../src/shell/slug-files.ts';
import { unpackTar } from '../../lib/unpack-tar.ts';

/** Prefixes of folders beside the unpacked slugs. Ids never begin with a dot. */
const UNFINISHED = '.unfinished-';
const SPARE = '.spare-';

/** What is unpacked of a slug, and needed to do so. */
type Tree = Pick<SlugFiles, 'id' | 'path' | 'layers'>;

const run = promisify(execFile);

/**
 * Unpacked slugs, DIR/slugs/ID: nobody writes there, each dyno gets a copy. A prepared slug also has one copy in spare,
 * so that the first start after a failover is a rename rather than a copy of a whole node_modules. Layers are unpacked in the
 * same way, once for all slugs over them, which take their files as hard links.
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
  async prepare(slug: Tree): Promise<void> {
    using _ = this.#use(slug.id);
    await this.#unpackOnce(slug);
    await this.#makeSpare(slug.id);
  }

  /** Makes the spare copy again after a start took it. */
  async respare(id: string): Promise<void> {
    using _ = this.#use(id);
    if (existsSync(this.#path(id))) await this.#makeSpare(id);
  }

  /** Makes `dest` a copy of the slug. */
  async copyTo(slug: Tree, dest: string): Promise<void> {
    using _ = this.#use(slug.id);
    await this.#unpackOnce(slug);
    try {
      await rename(this.#path(SPARE + slug.id), dest);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        await rm(dest, { recursive: true, force: true });
      await this.#copy(slug.id, dest);
    }
  }

  async #makeSpare(id: string): Promise<void> {
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

  async #unpackOnce(slug: Tree): Promise<void> {
    if (existsSync(this.#path(slug.id))) return;
    const running = this.#unpacking.get(slug.id) ?? this.#unpack(slug);
    this.#unpacking.set(slug.id, running);
    try {
      await running;
    } finally {
      this.#unpacking.delete(slug.id);
    }
  }

  async #unpack({ id, path, layers }: Tree): Promise<void> {
    const unfinished = this.#path(`${UNFINISHED}${randomUUID()}`);
    await mkdir(unfinished, { mode: 0o755 });
    try {
      const uid = this.#unpackUid;
      if (uid !== null) await chown(unfinished, uid, uid);
      for (const layer of layers) await this.#linkLayer(layer, unfinished);
      await unpackTar(path, unfinished, uid);
      await rename(unfinished, this.#path(id));
    } catch (cause) {
      await rm(unfinished, { recursive: true, force: true });
      throw cause instanceof PlatformError ? cause : slugError(id, path, cause);
    }
  }

  /** As hard links: neither the layer nor what is made of it is ever written to, and a tar replaces files. */
  async #linkLayer(layer: SlugFile, dir: string): Promise<void> {
    using _ = this.#use(layer.id);
    await this.#unpackOnce({ ...layer, layers: [] });
    await run('cp', ['-alf', `${this.#path(layer.id)}/.`, dir]);
  }

  async #copy(id: string, dest: string): Promise<void> {
    try {
      // One process for the whole tree: a few thousand files take about 100 ms.
      await run('cp', ['-a', '--reflink=auto', this.#path(id), dest]);
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
