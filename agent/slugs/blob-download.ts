import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { parseSize, readHeader, writeHeader } from './blob-channel.ts';
import type { BlobDraft, BlobFiles } from './blob-files.ts';

// A peer that gives nothing for this long is left for the next one; the brave slow ones of a home uplink give something.
const STALL_MS = 5_000;
// A peer may break off and be asked again this often, so that a flapping link still finishes.
const TRIES_PER_PEER = 3;

/**
 * One blob being fetched for everybody here who wants it. Peers are asked in turn, each going on where the last one
 * stopped. When the whole has the wrong hash, the bytes of all who gave some are worthless: the only giver is never
 * asked again; of several, each is asked for the whole by itself.
 */
export class BlobDownload {
  readonly #id: BlobId;
  readonly #files: BlobFiles;
  readonly #mesh: Pick<Mesh, 'open'>;
  readonly #log: Logger;
  readonly #tries = new Map<PeerId, number>();
  readonly #queue: PeerId[] = [];
  readonly #stop = new AbortController();
  readonly done: Promise<number>;
  #waiters = 0;
  #lastReason = 'no peer holds it';

  constructor(
    id: BlobId,
    from: readonly PeerId[],
    parts: { files: BlobFiles; mesh: Pick<Mesh, 'open'>; log: Logger },
  ) {
    this.#id = id;
    this.#files = parts.files;
    this.#mesh = parts.mesh;
    this.#log = parts.log;
    this.addSources(from);
    this.done = this.#run();
    // Waiters hear of a failure through `wait`; one that gave up before must not make it unhandled.
    this.done.catch(() => undefined);
  }

  /** Later askers may know more peers. */
  addSources(from: readonly PeerId[]): void {
    for (const peer of from) {
      if (this.#tries.has(peer)) continue;
      this.#tries.set(peer, 0);
      this.#queue.push(peer);
    }
  }

  /** Ends the download when the last one that waits for it gives up. */
  async wait(signal: AbortSignal): Promise<void> {
    this.#waiters += 1;
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void =>
      reject(
        new PlatformError('timeout', `Gave up fetching blob "${this.#id}": ${this.#lastReason}`, {
          cause: signal.reason,
        }),
      );
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await Promise.race([this.done, promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
      this.#waiters -= 1;
      if (this.#waiters === 0) this.#stop.abort();
    }
  }

  /** Nobody waits for it any more: it only cleans up. */
  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  cancel(): void {
    this.#stop.abort();
  }

  async #run(): Promise<number> {
    const draft = await this.#files.create();
    try {
      const givers = new Set<PeerId>();
      for (let peer = this.#queue.shift(); peer !== undefined; peer = this.#queue.shift()) {
        this.#stop.signal.throwIfAborted();
        this.#tries.set(peer, (this.#tries.get(peer) ?? 0) + 1);
        const before = draft.bytes;
        const isWhole = await this.#from(peer, draft);
        if (draft.bytes > before) givers.add(peer);
        if (isWhole && draft.digest() === this.#id) {
          await draft.commit();
          return draft.bytes;
        }
        if (isWhole) {
          await this.#onLie(draft, givers.size > 0 ? [...givers] : [peer]);
          givers.clear();
        } else if (draft.bytes > before) this.#askAgain(peer);
      }
      throw new PlatformError('unavailable', `Cannot fetch blob "${this.#id}": ${this.#lastReason}`, {
        hint: 'It comes back with a peer that holds it',
      });
    } finally {
      await draft.discard();
    }
  }

  #askAgain(peer: PeerId): void {
    if ((this.#tries.get(peer) ?? 0) < TRIES_PER_PEER) this.#queue.push(peer);
  }

  async #onLie(draft: BlobDraft, givers: readonly PeerId[]): Promise<void> {
    this.#log.warn({ blob: this.#id, peers: givers }, 'blob has the wrong hash');
    this.#lastReason = 'what came has the wrong hash';
    await draft.reset();
    if (givers.length > 1) for (const peer of givers) this.#askAgain(peer);
  }

  /** Appends what `peer` gives; true when it says that this was all of it. Only a local fault (a full disk) throws. */
  async #from(peer: PeerId, draft: BlobDraft): Promise<boolean> {
    let localFault: unknown = null;
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(STALL_MS)]);
      const channel = await this.#mesh.open(peer, 'blob', signal);
      let beat = performance.now();
      const watch = setInterval(() => {
        if (performance.now() - beat > STALL_MS) channel.destroy(new Error('no progress'));
      }, 250);
      const leave = (): void => void channel.destroy(new Error('nobody waits for it'));
      this.#stop.signal.addEventListener('abort', leave);
      channel.on('error', () => undefined);
      try {
        writeHeader(channel, { id: this.#id, offset: draft.bytes });
        const size = parseSize(await readHeader(channel, STALL_MS));
        if (size < draft.bytes) throw new Error(`it says ${size} bytes, ${draft.bytes} came already`);
        localFault = await settle(this.#files.mustHaveRoom(size - draft.bytes));
        if (localFault !== null) throw localFault;
        for await (const chunk of channel as AsyncIterable<Buffer>) {
          beat = performance.now();
          localFault = await settle(draft.write(chunk.subarray(0, size - draft.bytes)));
          if (localFault !== null) throw localFault;
          if (draft.bytes >= size) break;
        }
        if (draft.bytes < size) throw new Error('it broke off');
        return true;
      } finally {
        clearInterval(watch);
        this.#stop.signal.removeEventListener('abort', leave);
        channel.destroy();
      }
    } catch (err) {
      if (localFault !== null) throw localFault;
      this.#stop.signal.throwIfAborted();
      this.#lastReason = err instanceof Error ? err.message : String(err);
      this.#log.debug({ blob: this.#id, peer, bytes: draft.bytes, err }, 'blob source failed');
      return false;
    }
  }
}

/** The error of a promise as a value, or null. */
async function settle(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return null;
  } catch (error) {
    return error ?? new Error('unknown failure');
  }
}
