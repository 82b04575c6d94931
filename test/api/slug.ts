import type { BlobId } from '../../src/ids.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';

export const SLUG: SlugRef = {
  id: 'cd'.repeat(32) as BlobId,
  bytes: 4_321,
  arch: 'any',
  stack: 'heroku-24',
  processTypes: { web: 'node web.js', worker: 'node worker.js' },
  commit: '0b0e75c1ffff',
  buildpack: 'Node.js',
  source: null,
};
