import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PlatformError } from '../../src/errors.ts';
import type { BackupId, BlobId, PeerId, VolumeId } from '../../src/ids.ts';
import { blobsInReach } from '../../src/blobs/reach.ts';
import type { Volume } from '../../src/ledger/volumes/volume-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { VolumeBackup, VolumeRef, VolumeStatus } from '../../src/shell/volumes.ts';
import { packVolume, unpackVolume } from './volume-archive.ts';
import type { VolumeFolders } from './volume-folders.ts';
import { VolumeWork, type VolumeWorkParts } from './volume-work.ts';

/** The other peer makes it live by a rename. */
const TAKEN_MS = 60_000;
/** Of a copy nobody knows how long it takes. */
export const COPY_MS = 6 * 3_600_000;
const MEASURE_MS = 3_000;
const SEND_ATTEMPTS = 3;
const SEND_AGAIN_MS = 2_000;
/** What this peer writes of its own accord. */
const SELF = { user: 'kith', request: null } as const;

export type VolumeCopyingParts = VolumeWorkParts & {
  readonly folders: VolumeFolders;
  readonly blobs: Blobs;
  /** Has another peer fetch an archive from here and unpack it. */
  readonly send: (to: PeerId, ref: VolumeRef, copy: string, archive: BlobId) => Promise<void>;
  /** Has another peer fetch an archive from here, and keep it. */
  readonly give: (to: PeerId, ref: VolumeRef, archive: BlobId) => Promise<void>;
};

/**
 * Copies volumes that are on this peer. The dynos are stopped by a hold in the ledger; should this peer die meanwhile, its
 * next agent finds the hold and ends it. Only the op that gives a volume away, written when the new copy is durable, changes
 * which copy counts.
 */
export class VolumeCopying {
  readonly #parts: VolumeCopyingParts;
  readonly #work: VolumeWork;
  readonly #receiving = new Map<string, Promise<void>>();

  constructor(parts: VolumeCopyingParts, busy: Set<VolumeId>) {
    this.#parts = parts;
    this.#work = new VolumeWork(parts, busy);
  }

  move(ref: VolumeRef, to: PeerId): Promise<void> {
    return this.#work.alone(ref, `move ${to}`, async () => {
      const { host, send } = this.#parts;
      if (this.#work.must(ref).volume.place.peer === to) return;
      this.#mustBeMovable(ref);
      await this.#work.reached(to, `Cannot move volume "${this.#work.must(ref).volume.name}"`);
      const copy = newCopy();
      await this.#work.held(ref, 'move', async (volume, hold) => {
        const archive = await this.#pack(volume);
        try {
          this.#work.say(ref.volume, 'sending');
          await this.#send(() => send(to, ref, copy, archive.archive));
        } finally {
          await this.drop(archive.archive);
        }
        const place = { peer: to, copy };
        await host().command({ type: 'volume.move', ...ref, by: host().self, hold, to: place }, SELF);
      });
      await this.#work.until(TAKEN_MS, () => this.#work.must(ref).volume.ready, {
        what: `The move of volume "${this.#work.must(ref).volume.name}" was not confirmed in time`,
        hint: 'Its new peer takes it over as soon as it can: see `kith volumes:info`',
      });
    });
  }

  backup(ref: VolumeRef): Promise<VolumeBackup> {
    return this.#work.alone(ref, 'backup', () =>
      this.#work.held(ref, 'backup', (volume) => this.#pack(volume)),
    );
  }

  /** Packs it and has `to` keep the archive; the dynos run again before it is sent. */
  store(ref: VolumeRef, to: PeerId): Promise<BackupId> {
    return this.#work.alone(ref, `store ${to}`, async () => {
      const { host, give } = this.#parts;
      await this.#work.reached(to, `Cannot back up volume "${this.#work.must(ref).volume.name}"`);
      const { archive, bytes } = await this.#work.held(ref, 'backup', (volume) => this.#pack(volume));
      if (to !== host().self) {
        try {
          this.#work.say(ref.volume, 'sending');
          await this.#send(() => give(to, ref, archive));
        } finally {
          await this.drop(archive);
        }
      }
      const backup = randomBytes(4).toString('hex') as BackupId;
      const kept = { peer: to, archive, bytes };
      await host().command({ type: 'volume.backup', ...ref, backup, kept }, SELF);
      return backup;
    });
  }

  /** Gets the archive of a backup, to hold it for as long as the ledger names it. */
  async keep(archive: BlobId, from: PeerId): Promise<void> {
    const { blobs, closing } = this.#parts;
    await blobs.fetch(archive, [from], AbortSignal.any([closing, AbortSignal.timeout(COPY_MS)]));
  }

  /** @param from who holds the archive */
  restore(ref: VolumeRef, archive: BlobId, from: readonly PeerId[]): Promise<void> {
    return this.#work.alone(ref, `restore ${archive}`, async () => {
      const { host, folders } = this.#parts;
      const copy = newCopy();
      this.#work.say(ref.volume, 'fetching');
      await this.receive(ref, copy, archive, from);
      try {
        await this.#work.held(ref, 'restore', async (_volume, hold) => {
          const { self } = host();
          const to = { peer: self, copy };
          await host().command({ type: 'volume.move', ...ref, by: self, hold, to }, SELF);
          await folders.take(ref.volume, copy, false);
          await host().command({ type: 'volume.ready', ...ref, by: self, copy }, SELF);
        });
      } catch (error) {
        if (this.#work.must(ref).volume.place.copy !== copy) await folders.discard(ref.volume, copy);
        throw error;
      }
    });
  }

  /** Gets a copy that this peer may be given in a moment. Who asks for it twice gets it once. */
  receive({ volume }: VolumeRef, copy: string, archive: BlobId, from: readonly PeerId[]): Promise<void> {
    const known = this.#receiving.get(copy);
    if (known !== undefined) return known;
    const done = this.#receive(volume, copy, archive, from).finally(() => this.#receiving.delete(copy));
    this.#receiving.set(copy, done);
    return done;
  }

  async #receive(volume: VolumeId, copy: string, archive: BlobId, from: readonly PeerId[]): Promise<void> {
    const { blobs, folders, closing } = this.#parts;
    const isPassing = !blobs.has(archive);
    if (isPassing && from.length === 0) {
      throw new PlatformError('unavailable', 'Cannot restore that backup: no peer that is up has it', {
        hint: 'See `kith volumes:backups` and `kith peers`',
      });
    }
    const signal = AbortSignal.any([closing, AbortSignal.timeout(COPY_MS)]);
    if (isPassing) await blobs.fetch(archive, from, signal);
    try {
      await folders.receive(volume, copy, (dir) =>
        unpackVolume(blobs.path(archive), dir, (bytes) =>
          this.#work.say(volume, `unpacking, ${megabytes(bytes)}`),
        ),
      );
    } finally {
      this.#work.say(volume, null);
      if (isPassing) await blobs.remove(archive);
    }
  }

  async status(ref: VolumeRef): Promise<VolumeStatus> {
    const { volume } = this.#work.must(ref);
    const path = this.#parts.folders.path(volume.id, volume.place.copy);
    const doing = this.#work.doing(volume.id);
    // Measuring would only slow the copying down.
    if (doing !== null) return { bytes: null, doing };
    try {
      const { stdout } = await promisify(execFile)('du', ['-sk', path], { timeout: MEASURE_MS });
      return { bytes: Number.parseInt(stdout, 10) * 1024, doing };
    } catch {
      // A tree that is large or just being changed cannot be measured now: that is all there is to say.
      return { bytes: null, doing };
    }
  }

  /** An archive might be, by its hash, something that a release needs. */
  async drop(archive: BlobId): Promise<void> {
    const { host, blobs } = this.#parts;
    if (!blobsInReach(host().view()).has(archive)) await blobs.remove(archive);
  }

  async #pack({ id, place }: Volume): Promise<VolumeBackup> {
    const { blobs, folders } = this.#parts;
    const onBytes = (bytes: number): void => this.#work.say(id, `packing, ${megabytes(bytes)}`);
    const { id: archive, bytes } = await packVolume(folders.path(id, place.copy), blobs, onBytes);
    return { archive, bytes };
  }

  /** A connection that broke is no reason to begin anew: what has arrived is kept, and asked for again. */
  async #send(send: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await send();
        return;
      } catch (error) {
        const isBroken = error instanceof PlatformError && error.code === 'unavailable';
        if (!isBroken || attempt === SEND_ATTEMPTS) throw error;
      }
      await sleep(SEND_AGAIN_MS, undefined, { signal: this.#parts.closing });
    }
  }

  #mustBeMovable(ref: VolumeRef): void {
    const { app, volume } = this.#work.must(ref);
    const refuse = (found: string, hint: string): never => {
      throw new PlatformError('conflict', `Cannot move volume "${volume.name}": ${found}`, { hint });
    };
    const { mount } = volume;
    const beside = [...app.volumes.values()].find(
      (other) => other.id !== volume.id && mount !== null && other.mount?.type === mount.type,
    );
    if (beside !== undefined) {
      refuse(
        `${mount?.type} mounts "${beside.name}" as well, and dynos run where all their volumes are`,
        `Unmount one of them, move both, and mount it again`,
      );
    }
  }
}

function newCopy(): string {
  return randomBytes(8).toString('hex');
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MB`;
}
