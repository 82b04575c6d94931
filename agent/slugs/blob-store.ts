import { createReadStream } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { Tasks } from '../lib/tasks.ts';
import { parseAsk, readHeader, writeHeader } from './blob-channel.ts';
import { BlobDownload } from './blob-download.ts';
import { BlobFiles } from './blob-files.ts';
import { offerBlob, serveOffers } from './blob-offer.ts';

export type BlobStoreOptions = {
  /** DIR/blobs */
  readonly dir: string;
  readonly mesh: Pick<Mesh, 'open' | 'serve' | 'self'>;
  readonly log: Logger;
  /** Nothing is stored that would leave less than this free. */
  readonly freeBytesMin?: number;
};

const FREE_BYTES_MIN = 512 * 1024 * 1024;
const HEADER_MS = 10_000;
// Uploads at one time: more would only share the same uplink; who is refused asks another holder.
const UPLOADS_MAX = 16;

/** Opens the blobs of this peer and serves them to others over the services `blob` and `blob-offer`. */
export async function openBlobs(options: BlobStoreOptions): Promise<BlobStore> {
  const { files, found } = await BlobFiles.open(options.dir, options.freeBytesMin ?? FREE_BYTES_MIN);
  return new BlobStore(options, files, found);
}

export class BlobStore implements Blobs, AsyncDisposable {
  readonly #files: BlobFiles;
  /** Bytes by id of what is whole and durable here. */
  readonly #held: Map<BlobId, number>;
  readonly #mesh: BlobStoreOptions['mesh'];
  readonly #log: Logger;
  readonly #tasks: Tasks;
  readonly #downloads = new Map<BlobId, BlobDownload>();
  readonly #handlers = new Set<() => void>();
  #uploads = 0;

  constructor(options: BlobStoreOptions, files: BlobFiles, held: Map<BlobId, number>) {
    this.#files = files;
    this.#held = held;
    this.#mesh = options.mesh;
    this.#log = options.log;
    this.#tasks = new Tasks(this.#log);
    this.#mesh.serve('blob', (channel, from) =>
      this.#tasks.run('serve blob', () => this.#upload(channel, from)),
    );
    serveOffers(this.#mesh, this, this.#tasks, this.#log);
  }

  has(id: BlobId): boolean {
    return this.#held.has(id);
  }

  list(): readonly BlobId[] {
    return [...this.#held.keys()];
  }

  path(id: BlobId): string {
    if (this.has(id)) return this.#files.path(id);
    throw new PlatformError('not_found', `Blob "${id}" is not on this peer`);
  }

  async write(source: Readable): Promise<{ readonly id: BlobId; readonly bytes: number }> {
    const draft = await this.#files.create().catch((error: unknown) => {
      source.destroy();
      throw error;
    });
    try {
      for await (const chunk of source as AsyncIterable<Uint8Array | string>) {
        await draft.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
      }
      const id = await draft.commit();
      this.#add(id, draft.bytes);
      return { id, bytes: draft.bytes };
    } finally {
      await draft.discard();
    }
  }

  async fetch(id: BlobId, from: readonly PeerId[], signal: AbortSignal): Promise<void> {
    if (this.has(id)) return;
    const others = from.filter((peer) => peer !== this.#mesh.self);
    const running = this.#downloads.get(id);
    if (running !== undefined && !running.isStopped) {
      running.addSources(others);
      return running.wait(signal);
    }
    const download = new BlobDownload(id, others, { files: this.#files, mesh: this.#mesh, log: this.#log });
    this.#downloads.set(id, download);
    const settled = download.done
      .then((bytes) => this.#add(id, bytes))
      .catch((err: unknown) => this.#log.debug({ blob: id, err }, 'blob not fetched'))
      .finally(() => {
        if (this.#downloads.get(id) === download) this.#downloads.delete(id);
      });
    await download.wait(signal);
    await settled;
  }

  replicate(
    id: BlobId,
    to: readonly PeerId[],
    copies: number,
    signal: AbortSignal,
  ): Promise<readonly PeerId[]> {
    this.path(id);
    const others = to.filter((peer) => peer !== this.#mesh.self);
    return offerBlob(this.#mesh, id, others, copies, signal, this.#log);
  }

  async remove(id: BlobId): Promise<void> {
    if (!this.#held.delete(id)) return;
    await this.#files.remove(id);
    this.#changed();
  }

  onChange(handler: () => void): void {
    this.#handlers.add(handler);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const download of this.#downloads.values()) download.cancel();
    await this.#tasks.settled();
  }

  #add(id: BlobId, bytes: number): void {
    if (this.#held.has(id)) return;
    this.#held.set(id, bytes);
    this.#changed();
  }

  #changed(): void {
    for (const handler of this.#handlers) handler();
  }

  async #upload(channel: Duplex, from: PeerId): Promise<void> {
    channel.on('error', (err) => this.#log.debug({ peer: from, err }, 'blob upload broke off'));
    try {
      const ask = parseAsk(await readHeader(channel, HEADER_MS));
      const size = ask === null ? undefined : this.#held.get(ask.id);
      if (ask === null || size === undefined || ask.offset > size || this.#uploads >= UPLOADS_MAX) {
        const code = size === undefined ? 'not_found' : 'unavailable';
        writeHeader(channel, {
          error: { code, message: `Peer "${this.#mesh.self}" does not give this blob` },
        });
        channel.end();
        return;
      }
      this.#uploads += 1;
      try {
        writeHeader(channel, { size });
        if (ask.offset === size) channel.end();
        else
          await pipeline(createReadStream(this.path(ask.id), { start: ask.offset, end: size - 1 }), channel);
      } finally {
        this.#uploads -= 1;
      }
    } catch (err) {
      this.#log.debug({ peer: from, err }, 'blob upload ended early');
      channel.destroy();
    }
  }
}
