import type { BlobId } from '../ids.ts';

export type SlugFile = { readonly id: BlobId; readonly path: string };

/** A release's code as files of this host: blobs that are here, not to be changed. */
export type SlugFiles = SlugFile & {
  /**
   * What lies under it and is shared by many releases, the lowest first. For `slug`, each is a `.tar.zst` of `/app`, unpacked
   * in this order and the slug itself last; for `image`, the layers of a container image.
   */
  readonly layers: readonly SlugFile[];
  /** `slug`: a `.tar.zst` of `/app` on top of the stack. `image`: a container image's configuration, and its layers. */
  readonly format: 'slug' | 'image';
};
