import type { Logger } from 'pino';
import type { VolumeId } from '../../src/ids.ts';
import type { View } from '../../src/ledger/view.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { planVolumes, type VolumeStep } from '../../src/volumes/plan-volumes.ts';
import type { Tasks } from '../lib/tasks.ts';
import { every } from '../lib/timers.ts';
import type { VolumeFolders } from './volume-folders.ts';

/** A step that failed is tried again. */
const AGAIN_MS = 15_000;
const SWEEP_EVERY_MS = 3_600_000;
/** What this peer writes of its own accord. */
const SELF = { user: 'kith', request: null } as const;

export type VolumeKeeperParts = {
  readonly host: () => Pick<PeerHost, 'self' | 'view' | 'command'>;
  readonly folders: VolumeFolders;
  /** Volumes that are being copied here. */
  readonly busy: ReadonlySet<VolumeId>;
  readonly tasks: Tasks;
  readonly log: Logger;
};

/** Has this peer's disk follow what the ledger says of volumes, and the ledger what the disk has. */
export class VolumeKeeper {
  readonly #parts: VolumeKeeperParts;
  #seen: View | null = null;
  #isWorking = false;

  constructor(parts: VolumeKeeperParts) {
    this.#parts = parts;
  }

  repeat(signal: AbortSignal): void {
    every(AGAIN_MS, signal, () => this.look());
    const sweep = (): void =>
      this.#parts.tasks.run('sweep volumes', () => this.#parts.folders.sweep(Date.now()));
    sweep();
    every(SWEEP_EVERY_MS, signal, sweep);
  }

  /** Called after each change of state. */
  follow(): void {
    if (this.#parts.host().view() !== this.#seen) this.look();
  }

  /** Does what is to be done, one step after the other. */
  look(): void {
    if (this.#isWorking) return;
    const { tasks } = this.#parts;
    const steps = this.#plan();
    if (steps.length === 0) return;
    this.#isWorking = true;
    tasks.run('keep volumes', async () => {
      try {
        for (const step of steps) await this.#attempt(step);
      } finally {
        this.#isWorking = false;
      }
      // What was written meanwhile, or has just been done, may ask for more.
      this.follow();
    });
  }

  #plan(): readonly VolumeStep[] {
    const { host, folders, busy } = this.#parts;
    this.#seen = host().view();
    return planVolumes(this.#seen, host().self, folders.held(), busy);
  }

  async #attempt(step: VolumeStep): Promise<void> {
    const { log, busy } = this.#parts;
    const { volume } = step;
    if (busy.has(volume)) return;
    try {
      await this.perform(step);
      log.info({ volume, step: step.tag }, 'volume kept');
    } catch (err) {
      log.warn({ volume, step: step.tag, err }, 'volume not kept');
    }
  }

  async perform(step: VolumeStep): Promise<void> {
    const { host, folders } = this.#parts;
    const { self } = host();
    switch (step.tag) {
      case 'take': {
        const { app, volume, copy, isNew } = step;
        await folders.take(volume, copy, isNew);
        await host().command({ type: 'volume.ready', app, volume, by: self, copy }, SELF);
        break;
      }
      case 'return': {
        const { app, volume } = step;
        await host().command({ type: 'volume.return', app, volume, by: self }, SELF);
        break;
      }
      case 'release': {
        const { app, volume } = step;
        await host().command({ type: 'volume.hold', app, volume, by: self, why: null }, SELF);
        break;
      }
      case 'discard':
        await folders.discard(step.volume, step.copy);
        break;
    }
  }
}
