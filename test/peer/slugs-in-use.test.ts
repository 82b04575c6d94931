import { expect, test } from 'vitest';
import type { BlobId } from '../../src/ids.ts';
import { slugsInUse } from '../../src/peer/slugs-in-use.ts';
import { APP_ID, slugOf } from '../platform/builders.ts';
import { benches, only } from './builders.ts';

const LAYER = 'cd'.repeat(32) as BlobId;

test('what lies under a slug is in use while the release is current, and while a dyno of it runs', () => {
  const [bench] = benches(1);
  if (bench === undefined) throw new Error('No peer');
  const slug = { ...slugOf(), layers: [{ id: LAYER, bytes: 1 }] };
  bench.command({ type: 'app.create', app: APP_ID, name: 'blog', fallbackName: 'blog' });
  bench.command({ type: 'release.deploy', app: APP_ID, slug, description: 'Deploy' });
  expect([...slugsInUse(bench.state)].sort()).toEqual([slug.id, LAYER].sort());
  const [fetch] = only(bench.effects, 'dyno').filter(({ effect }) => effect.tag === 'fetchSlug');
  if (fetch === undefined) throw new Error('No dyno is started');
  bench.step({ tag: 'dyno', dyno: fetch.life.dyno, event: { tag: 'slug', ok: true } });
  const bare = { ...slugOf(), id: 'ef'.repeat(32) as BlobId };
  bench.command({ type: 'release.deploy', app: APP_ID, slug: bare, description: 'Deploy' });
  expect([...slugsInUse(bench.state)].sort()).toEqual([slug.id, LAYER, bare.id].sort());
});
