import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';
import { blobsToRemove, type HeldBlob } from '../../src/blobs/collect.ts';
import { blobsInReach } from '../../src/blobs/reach.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import { slugsInUse } from '../../src/peer/slugs-in-use.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Collected, PeerHost } from '../../src/shell/host.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { every } from '../lib/timers.ts';
import type { PeerLoop } from './peer-loop.ts';

const COLLECT_EVERY_MS = 10 * 60_000;

export type CollectorParts = {
  readonly host: () => Pick<PeerHost, 'self' | 'view'>;
  readonly loop: () => PeerLoop;
  readonly blobs: Blobs;
  readonly runtime: Runtime;
  /** Live peers that say they hold a blob. */
  readonly holders: (blob: BlobId) => readonly PeerId[];
  readonly budgetBytes: number;
  readonly log: Logger;
};

/** Frees this peer's disk of slugs, layers and outputs that nothing in reach of a rollback needs. */
export class Collector {
  readonly #parts: CollectorParts;
  #running: Promise<Collected> | null = null;

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  repeat(signal: AbortSignal): void {
    every(COLLECT_EVERY_MS, signal, () => {
      this.collect().catch((err: unknown) => this.#parts.log.error({ err }, 'garbage not collected'));
    });
  }

  /** One round; who asks while one is under way shares it. */
  async collect(): Promise<Collected> {
    this.#running ??= this.#collect().finally(() => (this.#running = null));
    return await this.#running;
  }

  async #collect(): Promise<Collected> {
    const { host, loop, blobs, runtime, holders, budgetBytes, log } = this.#parts;
    const inUse = slugsInUse(loop().state);
    const held = await heldBlobs(blobs);
    const inReach = blobsInReach(host().view());
    const now = Date.now();
    const gone = new Set(blobsToRemove({ me: host().self, held, inReach, inUse, holders, budgetBytes, now }));
    for (const id of gone) await blobs.remove(id);
    await runtime.collect(inUse);
    const bytesOf = (list: readonly HeldBlob[]): number => list.reduce((sum, { bytes }) => sum + bytes, 0);
    const collected = {
      removed: gone.size,
      bytes: bytesOf(held.filter(({ id }) => gone.has(id))),
      kept: held.length - gone.size,
      keptBytes: bytesOf(held.filter(({ id }) => !gone.has(id))),
    };
    if (gone.size > 0) log.info(collected, 'garbage collected');
    return collected;
  }
}

async function heldBlobs(blobs: Blobs): Promise<readonly HeldBlob[]> {
  const held: HeldBlob[] = [];
  for (const id of blobs.list()) {
    const { size, mtimeMs } = await stat(blobs.path(id));
    held.push({ id, bytes: size, since: mtimeMs });
  }
  return held;
}
