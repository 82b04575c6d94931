import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';

/** A release's code by its blobs. */
export type SlugBlobs = Pick<SlugFiles, 'format'> & {
  readonly id: BlobId;
  readonly layers: readonly BlobId[];
};

export function slugBlobs({ id, layers, format }: SlugRef): SlugBlobs {
  return { id, layers: (layers ?? []).map((layer) => layer.id), format: format ?? 'slug' };
}

/** The files of a slug whose blobs are all here; throws `not_found` else. */
export function slugFiles(blobs: Pick<Blobs, 'path'>, slug: SlugBlobs): SlugFiles {
  const file = (id: BlobId): { id: BlobId; path: string } => ({ id, path: blobs.path(id) });
  return { ...file(slug.id), layers: slug.layers.map(file), format: slug.format };
}

/** Has all blobs of a slug here, from whoever holds each. */
export async function fetchSlug(
  blobs: Blobs,
  slug: SlugBlobs,
  holders: (blob: BlobId) => readonly PeerId[],
  signal: AbortSignal,
): Promise<SlugFiles> {
  for (const id of [...slug.layers, slug.id]) await blobs.fetch(id, holders(id), signal);
  return slugFiles(blobs, slug);
}
