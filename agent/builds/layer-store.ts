import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { PlatformError } from '../../src/errors.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import { unpackTar } from '../lib/unpack-tar.ts';
import { removeTree } from './build-folders.ts';
import type { BuildpackStore } from './buildpack-store.ts';
import type { HostTools } from './host-tools.ts';
import type { LayerWish } from './layer-wish.ts';
import { runInSandbox } from './run-in-sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import { packSlug, slugArch, type Packed } from './slug-pack.ts';

/** Part of `/app` that many slugs share: made once by a buildpack of ours, never by an app. */
export type Layer = {
  /** Below `/app`, e.g. `.kith/node`. */
  readonly path: string;
  /** Folder of this host with what is seen there; nobody writes to it. */
  readonly tree: string;
  /** Its blob, which may still be in the making while the app is built. */
  readonly packed: Promise<PackedLayer>;
};

/** `arch` as in a slug: what its machine code runs on, `any` where it has none. */
export type PackedLayer = Packed & { readonly arch: string };

export type LayerParts = {
  readonly sandbox: Sandbox;
  readonly tools: HostTools;
  readonly store: BuildpackStore;
  readonly env: Readonly<Record<string, string>>;
  readonly blobs: Pick<Blobs, 'has' | 'path' | 'write'>;
  readonly arch: string;
};

/** What is kept beside a tree; written last, so that one without it is torn. */
type LayerRecord = { readonly boot: string; readonly packed: PackedLayer | null };

// Where builds are not walled in by bubblewrap, layers are made by a user that no app's build ever ran as.
const LAYER_UID = 65_533;
// Versions of Node that the apps of one peer are likely to use; one takes about 150 MB.
const LAYERS_KEPT = 5;

/**
 * Layers of this peer by path and key, each unpacked (what builds see) and as a blob (what dynos get). Used by one build at
 * a time.
 */
export class LayerStore {
  readonly #dir: string;
  readonly #workDir: string;
  readonly #boot: string;
  readonly #parts: LayerParts;
  readonly #packing = new Set<Promise<PackedLayer>>();

  private constructor(dir: string, workDir: string, boot: string, parts: LayerParts) {
    this.#dir = dir;
    this.#workDir = workDir;
    this.#boot = boot;
    this.#parts = parts;
  }

  static async open(dir: string, workDir: string, parts: LayerParts): Promise<LayerStore> {
    await mkdir(dir, { recursive: true, mode: 0o711 });
    // Trees are not synced to disk: after a power cut they may be torn, and are unpacked again from their blobs.
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => randomUUID());
    return new LayerStore(dir, workDir, boot.trim(), parts);
  }

  /**
   * The layer that one of our buildpacks wishes for, made where this peer does not have it.
   * @param print gets what its making says
   */
  async get(wish: LayerWish, print: (line: string) => void, signal: AbortSignal): Promise<Layer> {
    const dir = join(this.#dir, `${basename(wish.path)}@${wish.key}`);
    const kept = await this.#kept(dir);
    const record = kept ?? (await this.#make(wish, dir, print, signal));
    const now = new Date();
    await utimes(join(dir, 'record'), now, now);
    const packed = this.#packedOf(dir, record, signal);
    this.#packing.add(packed);
    // Whoever puts it into a slug hears of it; a build that failed before does not need it.
    void packed.catch(() => undefined).finally(() => this.#packing.delete(packed));
    return { path: wish.path, tree: join(dir, 'app', wish.path), packed };
  }

  /** No blob is in the making, and only layers used lately are kept. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#packing);
    const used: { readonly dir: string; readonly at: number }[] = [];
    for (const name of await readdir(this.#dir)) {
      const dir = join(this.#dir, name);
      const record = await stat(join(dir, 'record')).catch(() => null);
      used.push({ dir, at: record?.mtimeMs ?? 0 });
    }
    const old = used.toSorted((a, b) => b.at - a.at).slice(LAYERS_KEPT);
    for (const { dir } of old) await removeTree(dir);
  }

  /** What is there and whole, or can be made whole from its blob. */
  async #kept(dir: string): Promise<LayerRecord | null> {
    const record = await readRecord(dir);
    if (record === null || record.boot === this.#boot) return record;
    if (record.packed === null || !this.#parts.blobs.has(record.packed.id)) return null;
    const app = join(this.#workDir, `layer-${randomUUID()}`);
    await mkdir(app, { mode: 0o755 });
    try {
      await unpackTar(this.#parts.blobs.path(record.packed.id), app, null);
    } catch {
      // The blob is damaged: one made anew takes its place.
      await removeTree(app);
      return null;
    }
    return await this.#keep(dir, app, { ...record, boot: this.#boot });
  }

  /** Runs `bin/make-layer KEY DIR CACHE_DIR` of the buildpack, with nothing of any app in sight. */
  async #make(
    { buildpack, path, key }: LayerWish,
    dir: string,
    print: (line: string) => void,
    signal: AbortSignal,
  ): Promise<LayerRecord> {
    const { tools, env, store } = this.#parts;
    const sandbox = ownUser(this.#parts.sandbox);
    const work = join(this.#workDir, `layer-${randomUUID()}`);
    const inWork = (name: string): string => join(work, name);
    const app = inWork('app');
    const tree = join(app, path);
    await mkdir(work, { mode: 0o711 });
    try {
      await store.copyTo(buildpack, inWork('packs/own'), signal, print);
      await mkdir(tree, { recursive: true, mode: 0o755 });
      const writable = [tree, ...['cache', 'home', 'tmp'].map(inWork)];
      for (const folder of writable) {
        await mkdir(folder, { recursive: true });
        if (sandbox.uid !== null) await chown(folder, sandbox.uid, sandbox.uid);
      }
      const command = {
        script: 'exec 2>&1; exec "$1/bin/make-layer" "$2" "$3" "$4"',
        args: [inWork('packs/own'), key, tree, inWork('cache')],
        env: { ...env, HOME: inWork('home'), TMPDIR: inWork('tmp') },
        writable,
        readable: [inWork('packs'), tools.bin, ...tools.targets],
        shown: [],
      };
      const { status } = await runInSandbox(sandbox, command, print, signal);
      if (status !== 0) throw new PlatformError('build_failed', `"${key}" could not be made for ${path}.`);
      await closeToWriters(app);
      return await this.#keep(dir, app, { boot: this.#boot, packed: null });
    } finally {
      await removeTree(work);
    }
  }

  async #keep(dir: string, app: string, record: LayerRecord): Promise<LayerRecord> {
    await removeTree(dir);
    await mkdir(dir, { mode: 0o711 });
    await rename(app, join(dir, 'app'));
    await this.#write(dir, record);
    return record;
  }

  async #packedOf(dir: string, record: LayerRecord, signal: AbortSignal): Promise<PackedLayer> {
    const { blobs, arch: hostArch } = this.#parts;
    if (record.packed !== null && blobs.has(record.packed.id)) return record.packed;
    const app = join(dir, 'app');
    const [blob, arch] = await Promise.all([packSlug(app, blobs, signal), slugArch(app, hostArch)]);
    const packed = { ...blob, arch };
    await this.#write(dir, { ...record, packed });
    return packed;
  }

  async #write(dir: string, record: LayerRecord): Promise<void> {
    const draft = join(dir, 'record.new');
    await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
    await rename(draft, join(dir, 'record'));
  }
}

/** Null where there is none, or a power cut left half of it. */
async function readRecord(dir: string): Promise<LayerRecord | null> {
  try {
    return JSON.parse(await readFile(join(dir, 'record'), 'utf8')) as LayerRecord;
  } catch {
    return null;
  }
}

function ownUser(sandbox: Sandbox): Sandbox {
  return sandbox.uid === null ? sandbox : { ...sandbox, uid: LAYER_UID };
}

/** The agent owns it, everybody may read it. */
async function closeToWriters(dir: string): Promise<void> {
  const run = promisify(execFile);
  const uid = process.getuid?.();
  if (uid === 0) await run('chown', ['-hR', '0:0', '--', dir]);
  await run('chmod', ['-R', 'u+rwX,go-w,a+rX', '--', dir]);
}
