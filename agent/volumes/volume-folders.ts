import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeId } from '../../src/ids.ts';
import type { HeldCopy } from '../../src/volumes/plan-volumes.ts';

/** What is thrown away can be had back by hand for so long. */
const TRASH_KEPT_MS = 7 * 24 * 3_600_000;
/** A copy that arrived, and that its sender never gave away. */
const ARRIVED_KEPT_MS = 24 * 3_600_000;
const NAME = /^([0-9a-f-]{36})\.([0-9a-f]{16})$/;

/**
 * The copies of volumes on this peer's disk, one folder each: `DIR/volumes/VOLUME.COPY`. A copy that comes is in
 * `.partial` while it does, in `.arrived` once it is whole, and live when the ledger says that it is the volume; what is
 * not needed any more goes to `.trash`. Each step from one to the next is a rename, and durable.
 */
export class VolumeFolders {
  readonly #dir: string;
  readonly #held = new Map<string, HeldCopy>();

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async open(dir: string): Promise<VolumeFolders> {
    const folders = new VolumeFolders(dir);
    await rm(join(dir, '.partial'), { recursive: true, force: true });
    for (const name of ['.partial', '.arrived', '.trash']) {
      await mkdir(join(dir, name), { recursive: true, mode: 0o700 });
    }
    for (const name of await readdir(join(dir, '.arrived'))) folders.#note(name, 'arrived');
    for (const name of await readdir(dir)) folders.#note(name, 'live');
    return folders;
  }

  held(): readonly HeldCopy[] {
    return [...this.#held.values()];
  }

  /** Where dynos find this copy. */
  path(volume: VolumeId, copy: string): string {
    return join(this.#dir, nameOf(volume, copy));
  }

  /** Makes a copy live: one that arrived, or that of a new volume, which is empty; nothing where it is already. */
  async take(volume: VolumeId, copy: string, isNew: boolean): Promise<void> {
    const held = this.#held.get(nameOf(volume, copy));
    if (held?.state === 'live') return;
    const path = this.path(volume, copy);
    if (held === undefined && isNew) await mkdir(path, { mode: 0o755 });
    else await rename(this.#at('.arrived', volume, copy), path);
    await this.#settle(path);
    this.#note(nameOf(volume, copy), 'live');
  }

  /** Has `fill` make a copy, which is held as `arrived` once it is whole and durable. */
  async receive(volume: VolumeId, copy: string, fill: (dir: string) => Promise<void>): Promise<void> {
    if (this.#held.has(nameOf(volume, copy))) return;
    const partial = this.#at('.partial', volume, copy);
    const arrived = this.#at('.arrived', volume, copy);
    try {
      await mkdir(partial, { mode: 0o700 });
      await fill(partial);
      await rename(partial, arrived);
      await this.#settle(arrived);
      this.#note(nameOf(volume, copy), 'arrived');
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }

  async discard(volume: VolumeId, copy: string): Promise<void> {
    const held = this.#held.get(nameOf(volume, copy));
    if (held === undefined) return;
    const path = held.state === 'live' ? this.path(volume, copy) : this.#at('.arrived', volume, copy);
    await rename(path, join(this.#dir, '.trash', `${Date.now()}-${nameOf(volume, copy)}`));
    this.#held.delete(nameOf(volume, copy));
  }

  /** Removes what has been in the trash for long, and throws away what arrived and was not wanted. */
  async sweep(now: number): Promise<void> {
    for (const { volume, copy, state } of this.held()) {
      if (state !== 'arrived') continue;
      const { ctimeMs } = await stat(this.#at('.arrived', volume, copy));
      if (now - ctimeMs >= ARRIVED_KEPT_MS) await this.discard(volume, copy);
    }
    const trash = join(this.#dir, '.trash');
    for (const name of await readdir(trash)) {
      const thrownAt = Number(name.slice(0, name.indexOf('-')));
      if (now - thrownAt >= TRASH_KEPT_MS) await rm(join(trash, name), { recursive: true, force: true });
    }
  }

  #at(stage: '.partial' | '.arrived', volume: VolumeId, copy: string): string {
    return join(this.#dir, stage, nameOf(volume, copy));
  }

  #note(name: string, state: HeldCopy['state']): void {
    const [, volume, copy] = NAME.exec(name) ?? [];
    if (volume === undefined || copy === undefined) return;
    this.#held.set(name, { volume: volume as VolumeId, copy, state });
  }

  /** Makes the rename that led to `path` outlive a power cut. */
  async #settle(path: string): Promise<void> {
    for (const dir of [dirname(path), this.#dir]) {
      await using handle = await open(dir, 'r');
      await handle.sync();
    }
  }
}

function nameOf(volume: VolumeId, copy: string): string {
  return `${volume}.${copy}`;
}
