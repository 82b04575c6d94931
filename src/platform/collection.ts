import type { Collected } from '../shell/host.ts';

/** One round of freeing a peer's disk, as the API shows it. */
export type CollectionResource = {
  readonly removed_blobs: number;
  readonly removed_bytes: number;
  readonly kept_blobs: number;
  readonly kept_bytes: number;
};

export function collectionResource({ removed, bytes, kept, keptBytes }: Collected): CollectionResource {
  return { removed_blobs: removed, removed_bytes: bytes, kept_blobs: kept, kept_bytes: keptBytes };
}
