import type { CollectionResource } from '../../src/platform/collection.ts';
import { defineCommand } from '../lib/line/command.ts';

export default defineCommand({
  details:
    'Removes slugs, layers and build outputs that no release in reach of a rollback needs from the disk of the peer that is spoken to. Agents do so by themselves every ten minutes.',
  async run({ api, screen }) {
    const collected = await screen.progress(
      'Collecting garbage',
      () => api.post<CollectionResource>('/kith/collections'),
      ({ removed_bytes, kept_bytes, kept_blobs }) =>
        `done, ${mebibytes(removed_bytes)} freed; ${kept_blobs} blobs of ${mebibytes(kept_bytes)} are kept`,
    );
    if (screen.isJson) screen.json(collected);
  },
});

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
