import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId, OpId, PeerId, VolumeId } from '../../src/ids.ts';
import { blobsInReach } from '../../src/blobs/reach.ts';
import type { VolumeHold } from '../../src/ledger/op.ts';
import type { App, Volume } from '../../src/ledger/view.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { PeerHost, PeerStatus } from '../../src/shell/host.ts';
import type { VolumeBackup, VolumeRef, VolumeStatus } from '../../src/shell/volumes.ts';
import { packVolume, unpackVolume } from './volume-archive.ts';
import type { VolumeFolders } from './volume-folders.ts';

/** A drain, SIGTERM, SIGKILL after 30 s, and a little. */
const STOPPED_MS = 120_000;
const REACHED_MS = 15_000;
/** The other peer makes it live by a rename. */
const TAKEN_MS = 60_000;
/** Of a copy nobody knows how long it takes. */
export const COPY_MS = 6 * 3_600_000;
const LOOK_MS = 50;
const MEASURE_MS = 3_000;
const SEND_ATTEMPTS = 3;
const SEND_AGAIN_MS = 2_000;
/** What this peer writes of its own accord. */
const SELF = { user: 'kith', request: null } as const;

export type VolumeCopyingParts = {
  readonly host: () => PeerHost;
  readonly folders: VolumeFolders;
  readonly blobs: Blobs;
  /** Whether a dyno here may still write to it. */
  readonly isUsed: (volume: VolumeId) => boolean;
  /** Has another peer fetch an archive from here and unpack it. */
  readonly send: (to: PeerId, ref: VolumeRef, copy: string, archive: BlobId) => Promise<void>;
  readonly keep: () => void;
  readonly closing: AbortSignal;
};

/**
 * Copies volumes that are on this peer. The dynos are stopped by a hold in the ledger; should this peer die meanwhile, its
 * next agent finds the hold and ends it. Only the op that gives a volume away, written when the new copy is durable, changes
 * which copy counts.
 */
export class VolumeCopying {
  readonly #parts: VolumeCopyingParts;
  readonly #running = new Map<VolumeId, { readonly key: string; readonly done: Promise<unknown> }>();
  readonly #receiving = new Map<string, Promise<void>>();
  readonly #doing = new Map<VolumeId, string>();
  readonly busy: Set<VolumeId>;

  constructor(parts: VolumeCopyingParts, busy: Set<VolumeId>) {
    this.#parts = parts;
    this.busy = busy;
  }

  move(ref: VolumeRef, to: PeerId): Promise<void> {
    return this.#alone(ref, `move ${to}`, async () => {
      const { host, send } = this.#parts;
      if (this.#must(ref).volume.place.peer === to) return;
      this.#mustBeMovable(ref);
      await this.#reached(to, this.#must(ref).volume.name);
      const copy = newCopy();
      await this.#held(ref, 'move', async (volume, hold) => {
        const archive = await this.#pack(volume);
        try {
          this.#doing.set(ref.volume, 'sending');
          await this.#send(() => send(to, ref, copy, archive.archive));
        } finally {
          await this.drop(archive.archive);
        }
        const place = { peer: to, copy };
        await host().command({ type: 'volume.move', ...ref, by: host().self, hold, to: place }, SELF);
      });
      await this.#until(TAKEN_MS, () => this.#must(ref).volume.ready, {
        what: `The move of volume "${this.#must(ref).volume.name}" was not confirmed in time`,
        hint: 'Its new peer takes it over as soon as it can: see `kith volumes:info`',
      });
    });
  }

  backup(ref: VolumeRef): Promise<VolumeBackup> {
    return this.#alone(ref, 'backup', () => this.#held(ref, 'backup', (volume) => this.#pack(volume)));
  }

  /** @param from who holds the archive */
  restore(ref: VolumeRef, archive: BlobId, from: PeerId): Promise<void> {
    return this.#alone(ref, `restore ${archive}`, async () => {
      const { host, folders } = this.#parts;
      const copy = newCopy();
      this.#doing.set(ref.volume, 'fetching');
      await this.receive(ref, copy, archive, from);
      try {
        await this.#held(ref, 'restore', async (_volume, hold) => {
          const { self } = host();
          const to = { peer: self, copy };
          await host().command({ type: 'volume.move', ...ref, by: self, hold, to }, SELF);
          await folders.take(ref.volume, copy, false);
          await host().command({ type: 'volume.ready', ...ref, by: self, copy }, SELF);
        });
      } catch (error) {
        if (this.#must(ref).volume.place.copy !== copy) await folders.discard(ref.volume, copy);
        throw error;
      }
    });
  }

  /** Gets a copy that this peer may be given in a moment. Who asks for it twice gets it once. */
  receive({ volume }: VolumeRef, copy: string, archive: BlobId, from: PeerId): Promise<void> {
    const known = this.#receiving.get(copy);
    if (known !== undefined) return known;
    const done = this.#receive(volume, copy, archive, from).finally(() => this.#receiving.delete(copy));
    this.#receiving.set(copy, done);
    return done;
  }

  async #receive(volume: VolumeId, copy: string, archive: BlobId, from: PeerId): Promise<void> {
    const { host, blobs, folders, closing } = this.#parts;
    const signal = AbortSignal.any([closing, AbortSignal.timeout(COPY_MS)]);
    if (from !== host().self) await blobs.fetch(archive, [from], signal);
    try {
      await folders.receive(volume, copy, (dir) =>
        unpackVolume(blobs.path(archive), dir, (bytes) =>
          this.#doing.set(volume, `unpacking, ${megabytes(bytes)}`),
        ),
      );
    } finally {
      this.#doing.delete(volume);
      if (from !== host().self) await this.drop(archive);
    }
  }

  async status(ref: VolumeRef): Promise<VolumeStatus> {
    const { volume } = this.#must(ref);
    const path = this.#parts.folders.path(volume.id, volume.place.copy);
    const doing = this.#doing.get(volume.id) ?? null;
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

  /** One piece of work on a volume at a time; who asks for the same again gets the same answer. */
  async #alone<T>(ref: VolumeRef, key: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running.get(ref.volume);
    if (running?.key === key) return (await running.done) as T;
    const { name } = this.#must(ref).volume;
    if (running !== undefined) {
      throw new PlatformError('conflict', `Cannot copy volume "${name}": it is being copied already`, {
        hint: 'See `kith volumes:info`, and try again when that has ended',
      });
    }
    this.busy.add(ref.volume);
    const done = work();
    this.#running.set(ref.volume, { key, done });
    try {
      return await done;
    } finally {
      this.#running.delete(ref.volume);
      this.#doing.delete(ref.volume);
      this.busy.delete(ref.volume);
      // A hold that could not be ended, or a copy that is needed no more.
      this.#parts.keep();
    }
  }

  /** Stops the volume's dynos while `work` goes on, which gets the hold that it may give the volume away under. */
  async #held<T>(
    ref: VolumeRef,
    why: VolumeHold,
    work: (volume: Volume, hold: OpId) => Promise<T>,
  ): Promise<T> {
    const { host, isUsed } = this.#parts;
    const hold = { type: 'volume.hold', ...ref, by: host().self } as const;
    const [heldBy] = await host().command({ ...hold, why }, SELF);
    if (heldBy === undefined) throw new Error('A hold was accepted, and not written');
    try {
      this.#doing.set(ref.volume, 'stopping its dynos');
      const { volume } = this.#must(ref);
      await this.#until(STOPPED_MS, () => !isUsed(volume.id), {
        what: `Cannot copy volume "${volume.name}": its dynos did not stop`,
        hint: 'See `kith ps` and `kith logs`',
      });
      return await work(volume, heldBy);
    } finally {
      const volume = host().view().apps.get(ref.app)?.volumes.get(ref.volume);
      if (volume?.place.peer === host().self && volume.ready && volume.hold !== null) {
        await host().command({ ...hold, why: null }, SELF);
      }
    }
  }

  async #pack({ id, place }: Volume): Promise<VolumeBackup> {
    const { blobs, folders } = this.#parts;
    const onBytes = (bytes: number): void => void this.#doing.set(id, `packing, ${megabytes(bytes)}`);
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

  /** @throws PlatformError `timeout` */
  async #until(
    ms: number,
    test: () => boolean,
    late: { readonly what: string; readonly hint: string },
  ): Promise<void> {
    const deadline = performance.now() + ms;
    while (!test()) {
      if (performance.now() > deadline) throw new PlatformError('timeout', late.what, { hint: late.hint });
      await sleep(LOOK_MS, undefined, { signal: this.#parts.closing });
    }
  }

  #must({ app: appId, volume: id }: VolumeRef): { readonly app: App; readonly volume: Volume } {
    const app = this.#parts.host().view().apps.get(appId);
    const volume = app?.volumes.get(id);
    if (app !== undefined && volume !== undefined) return { app, volume };
    throw new PlatformError('not_found', "Couldn't find that volume.", { resource: 'volume' });
  }

  /** An agent that has just started has yet to hear who is alive. */
  async #reached(peer: PeerId, name: string): Promise<void> {
    const status = (): PeerStatus | undefined =>
      this.#parts
        .host()
        .peers()
        .find((each) => each.peer === peer);
    await this.#until(REACHED_MS, () => status()?.verdict === 'alive', {
      what: `Cannot move volume "${name}": its peer cannot reach "${status()?.facts?.name ?? peer}"`,
      hint: 'See `kith peers`',
    });
  }

  #mustBeMovable(ref: VolumeRef): void {
    const { app, volume } = this.#must(ref);
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
