import { expect, test } from 'vitest';
import { releaseUuid } from '../../src/platform/ids.ts';
import {
  mustFindRelease,
  mustFindSlug,
  releaseResource,
  releasesInOrder,
} from '../../src/platform/release.ts';
import { SLUGS_IN_REACH } from '../../src/ledger/reach.ts';
import { blobId } from '../ledger/builders.ts';
import { app, release, slugOf } from './builders.ts';

const split = app([
  release(4),
  release(5, { label: 'v5.k3f9' }),
  release(5, { label: 'v5.m2c1', hlc: { ms: 6_000, n: 0 } }),
  release(6, { cause: 'merge' }),
]);

test('a release is found by number, label, id, UUID and as the current one', () => {
  const wanted = release(6, { cause: 'merge' });
  for (const name of ['6', 'v6', wanted.id, releaseUuid(wanted.id), 'current']) {
    expect(mustFindRelease(split, name).label).toBe('v6');
  }
  expect(mustFindRelease(split, 'v5.m2c1').label).toBe('v5.m2c1');
  expect(mustFindRelease(split, '5.k3f9').label).toBe('v5.k3f9');
});

test('a number that two releases bear asks for the full label', () => {
  expect(() => mustFindRelease(split, 'v5')).toThrow(/could be v5\.k3f9, v5\.m2c1/);
});

test('a release that is not there is a 404 of the resource release', () => {
  expect(() => mustFindRelease(split, 'v99')).toThrow(
    expect.objectContaining({ code: 'not_found', resource: 'release' }),
  );
});

test('releases are in the order of number, then clock', () => {
  expect(releasesInOrder(split).map((each) => each.label)).toEqual(['v4', 'v5.k3f9', 'v5.m2c1', 'v6']);
});

test('only a release with a slug may be rolled back to', () => {
  const blog = app([release(1), release(2, { slug: slugOf() })]);
  const [first, second] = releasesInOrder(blog).map((each) => releaseResource(blog, each, () => 'url'));
  expect(first).toMatchObject({ version: 1, eligible_for_rollback: false, current: false, slug: null });
  expect(second).toMatchObject({ version: 2, eligible_for_rollback: true, current: true, label: 'v2' });
  expect(mustFindSlug(blog, second?.slug?.id ?? '').bytes).toBe(1_234);
});

test('a release whose slug newer ones have pushed out may not be rolled back to', () => {
  const slugs = Array.from({ length: SLUGS_IN_REACH + 1 }, (_, n) => ({
    ...slugOf(),
    id: blobId(`slug ${n}`),
  }));
  const blog = app(slugs.map((slug, n) => release(n + 1, { slug })));
  const shown = releasesInOrder(blog).map((each) => releaseResource(blog, each, () => 'url'));
  const eligible = shown.filter((each) => each.eligible_for_rollback).map(({ version }) => version);
  expect(eligible).toEqual(Array.from({ length: SLUGS_IN_REACH }, (_, n) => n + 2));
});
