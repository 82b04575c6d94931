import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';

/** Blobs as files of one folder; no other peer has any. */
export class FileBlobs implements Blobs {
  readonly #dir: string;
  readonly #ids = new Set<BlobId>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  has(id: BlobId): boolean {
    return this.#ids.has(id);
  }

  list(): readonly BlobId[] {
    return [...this.#ids];
  }

  async write(source: Readable): Promise<{ id: BlobId; bytes: number }> {
    const data = await buffer(source);
    const id = createHash('sha256').update(data).digest('hex') as BlobId;
    writeFileSync(join(this.#dir, id), data);
    this.#ids.add(id);
    return { id, bytes: data.length };
  }

  path(id: BlobId): string {
    if (!this.#ids.has(id)) throw new PlatformError('not_found', `No blob "${id}"`);
    return join(this.#dir, id);
  }

  async fetch(id: BlobId): Promise<void> {
    this.path(id);
  }

  async replicate(): Promise<readonly PeerId[]> {
    return [];
  }

  async remove(id: BlobId): Promise<void> {
    this.#ids.delete(id);
    await rm(join(this.#dir, id), { force: true });
  }

  onChange(): void {}
}
