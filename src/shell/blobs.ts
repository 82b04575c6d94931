import type { Readable } from 'node:stream';
import type { BlobId, PeerId } from '../ids.ts';

/** Content-addressed files of this peer, and getting them from others. */
export interface Blobs {
  has(id: BlobId): boolean;
  list(): readonly BlobId[];
  /** Stores a stream durably under its SHA-256; `disk_full` when free space would fall under the floor. */
  write(source: Readable): Promise<{ readonly id: BlobId; readonly bytes: number }>;
  /** Path of a blob that is here; throws `not_found`. The file must not be changed. */
  path(id: BlobId): string;
  /** Gets a blob from any of these peers, trying the next when one is slow, dead or lies; verified; resolves at once when here. */
  fetch(id: BlobId, from: readonly PeerId[], signal: AbortSignal): Promise<void>;
  /** Has up to `copies` of these peers fetch it from here; resolves with those that hold it durably. */
  replicate(
    id: BlobId,
    to: readonly PeerId[],
    copies: number,
    signal: AbortSignal,
  ): Promise<readonly PeerId[]>;
  remove(id: BlobId): Promise<void>;
  onChange(handler: () => void): void;
}
