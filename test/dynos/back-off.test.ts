import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { restartDelayMs } from '../../src/dynos/back-off.ts';
import { parseSize, sizeOf } from '../../src/dyno-sizes.ts';
import type { DynoId } from '../../src/ids.ts';

test('the first crash restarts at once, the next wait about 1 s, 2 s, 4 s, and never over 5 min', () => {
  const dyno = '4f0f1c9e-0000-4000-8000-000000000001' as DynoId;
  expect(restartDelayMs(1, dyno)).toBe(0);
  for (const [crashes, about] of [
    [2, 1_000],
    [3, 2_000],
    [4, 4_000],
  ] as const) {
    expect(restartDelayMs(crashes, dyno)).toBeGreaterThanOrEqual(about * 0.8);
    expect(restartDelayMs(crashes, dyno)).toBeLessThanOrEqual(about * 1.2);
  }
  expect(restartDelayMs(500, dyno)).toBeLessThanOrEqual(300_000);
});

test('a dyno’s wait is the same wherever it is worked out, and others wait differently', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 2, max: 60 }), (id, crashes) => {
      const wait = restartDelayMs(crashes, id as DynoId);
      expect(wait).toBe(restartDelayMs(crashes, id as DynoId));
      expect(wait).toBeGreaterThanOrEqual(800);
    }),
  );
  const waits = new Set(['a', 'b', 'c', 'd'].map((id) => restartDelayMs(8, id as DynoId)));
  expect(waits.size).toBe(4);
});

test('a size is known in any case and shown in its own', () => {
  expect(parseSize('standard-2x')).toMatchObject({ name: 'Standard-2X', memoryMiB: 1_024 });
  expect(parseSize('PERFORMANCE-L')).toMatchObject({ name: 'Performance-L', memoryMiB: 14_336 });
  expect(parseSize('huge')).toBeNull();
  expect(sizeOf('from-the-future').name).toBe('Basic');
});
