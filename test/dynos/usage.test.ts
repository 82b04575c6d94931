import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DynoUsage } from '../../src/dyno-usage.ts';
import { nextLoad } from '../../src/dynos/load.ts';
import { metricsLines, quotaLines } from '../../src/dynos/usage-lines.ts';
import type { AppId, DynoId } from '../../src/ids.ts';

function usage(rssMiB: number, swapMiB = 0, cacheMiB = 0): DynoUsage {
  return {
    dyno: 'd1' as DynoId,
    stats: { rssMiB, swapMiB, cacheMiB, cpuSeconds: 1, processes: 1 },
    load: [0.5, 0.25, 0.125],
    quotaMiB: 512,
  };
}

test('a dyno over its quota is told so with what it uses; the page cache does not count', () => {
  expect(quotaLines(usage(500, 100))).toEqual([
    'Process running mem=600M(117.2%)',
    'Error R14 (Memory quota exceeded)',
  ]);
  expect(quotaLines(usage(512, 0, 900))).toEqual([]);
});

test('metrics are one line of load and one of memory, as Heroku writes them', () => {
  expect(metricsLines('app-1' as AppId, 'web.1', usage(20.5, 0, 1))).toEqual([
    'source=web.1 dyno=heroku.app-1.d1 sample#load_avg_1m=0.50 sample#load_avg_5m=0.25 sample#load_avg_15m=0.13',
    'source=web.1 dyno=heroku.app-1.d1 sample#memory_total=21.50MB sample#memory_rss=20.50MB sample#memory_cache=1.00MB sample#memory_swap=0.00MB sample#memory_quota=512.00MB',
  ]);
});

test('a dyno that keeps two cores busy comes to a load of 2, the short average first', () => {
  let mark = { cpuSeconds: 0, at: 0, load: [0, 0, 0] as const as DynoUsage['load'] };
  for (let minute = 1; minute <= 60; minute += 1) {
    const now = { cpuSeconds: minute * 120, at: minute * 60_000 };
    mark = { ...now, load: nextLoad(mark, now) };
    if (minute === 1) expect(mark.load[0]).toBeGreaterThan(mark.load[1]);
  }
  for (const load of mark.load) expect(load).toBeCloseTo(2, 1);
});

test('a load is never negative, nor above what was ever used at once, however often one looks', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.double({ min: 0, max: 4, noNaN: true }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      let mark = { cpuSeconds: 0, at: 0, load: [0, 0, 0] as const as DynoUsage['load'] };
      for (const [ms, cores] of steps) {
        const now = { cpuSeconds: mark.cpuSeconds + (cores * ms) / 1_000, at: mark.at + ms };
        mark = { ...now, load: nextLoad(mark, now) };
        for (const load of mark.load) {
          expect(load).toBeGreaterThanOrEqual(0);
          expect(load).toBeLessThanOrEqual(4.000_1);
        }
      }
    }),
  );
});
