import { expect, test } from 'vitest';
import { TookOneOffs } from '../../agent/one-offs/took-one-offs.ts';
import type { DynoId, ReleaseId } from '../../src/ids.ts';

const one = (dyno: string) => ({ dyno: dyno as DynoId, name: 'run.7', release: 'r' as ReleaseId });

test('what was taken is known for two minutes, whether or not another comes', () => {
  let now = 0;
  const took = new TookOneOffs(() => now);
  took.add(one('a'));
  now = 60_000;
  took.add(one('b'));
  now = 120_000;
  expect(took.list().map(({ dyno }) => dyno)).toEqual(['a', 'b']);
  now += 1;
  expect(took.get('a' as DynoId)).toBe(null);
  expect(took.get('b' as DynoId)).toEqual(one('b'));
  now += 60_000;
  expect(took.list()).toEqual([]);
});

test('of many at once the latest are known', () => {
  const took = new TookOneOffs(() => 0);
  for (let i = 0; i < 30; i += 1) took.add(one(`${i}`));
  expect(took.list().map(({ dyno }) => dyno)).toEqual(Array.from({ length: 20 }, (_, i) => `${i + 10}`));
});
