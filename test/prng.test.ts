import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextRandom, shuffled, unitOf } from '../src/prng.ts';

test('a seed always gives the same draws, all in [0, 1)', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const draw = nextRandom(seed);
      expect(draw).toEqual(nextRandom(seed));
      expect(draw.value).toBeGreaterThanOrEqual(0);
      expect(draw.value).toBeLessThan(1);
    }),
  );
});

test('draws spread evenly over ten boxes', () => {
  const boxes = Array.from({ length: 10 }, () => 0);
  let state = 42;
  for (let turn = 0; turn < 10_000; turn += 1) {
    const draw = nextRandom(state);
    state = draw.state;
    const box = Math.floor(draw.value * 10);
    boxes[box] = (boxes[box] ?? 0) + 1;
  }
  for (const count of boxes) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test('a shuffle keeps every item', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer(), (items, seed) => {
      const inOrder = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);
      expect(inOrder(shuffled(items, seed).items)).toEqual(inOrder(items));
    }),
  );
});

test('texts that differ in one letter land far apart', () => {
  const units = Array.from({ length: 1_000 }, (_, at) => unitOf(`slot/web.${at}`)).sort((a, b) => a - b);
  expect(Math.abs((units[500] ?? 0) - 0.5)).toBeLessThan(0.06);
});
