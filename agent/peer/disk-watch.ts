import { statfs } from 'node:fs/promises';
import type { ErrorRecord } from '../../src/errors.ts';
import { every } from '../lib/timers.ts';
import type { PeerLoop } from './peer-loop.ts';

/** Ops are small: this much is left for what others write, and for LevelDB to tidy up in. */
const FREE_BYTES_MIN = 8 * 1024 * 1024;
const LOOK_EVERY_MS = 5_000;

/** Looks whether the disk that holds the folder has room for more of the ledger, and tells the machine of changes. */
export class DiskWatch {
  readonly #dir: string;
  #loop: PeerLoop | null = null;

  constructor(dir: string) {
    this.#dir = dir;
  }

  watch(loop: PeerLoop, signal: AbortSignal, onError: (err: unknown) => void): void {
    this.#loop = loop;
    const look = (): void => void this.look().catch(onError);
    look();
    every(LOOK_EVERY_MS, signal, look);
  }

  /** @returns why nothing more can be stored here now, or null */
  async look(): Promise<ErrorRecord | null> {
    const { bavail, bsize } = await statfs(this.#dir);
    const free = bavail * bsize;
    const error: ErrorRecord | null = free < FREE_BYTES_MIN ? this.#full(free) : null;
    if ((error === null) !== (this.#loop?.state.storage === null))
      this.#loop?.dispatch({ tag: 'storage', error });
    return error;
  }

  #full(free: number): ErrorRecord {
    return {
      code: 'disk_full',
      message: `Cannot write: the disk of "${this.#dir}" is full (${Math.floor(free / 1024)} KiB are free)`,
      hint: 'Free some space on this host, or ask another peer',
    };
  }
}
