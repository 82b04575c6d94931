import { describe, expect, test } from 'vitest';
import { Sim } from './sim.ts';

/** `KITH_SIM_SEEDS=1000 npm test -- sim` looks further; `npm run sim -- --seed S` replays one. */
const SEEDS = Number(process.env['KITH_SIM_SEEDS'] ?? 200);
const BATCH = 20;
/** So many test files share the seeds, and run beside one another. */
const FILES = 2;

/** Plays this file's share of the seeds: every `FILES`th batch from the `file`th on, counted from 0. */
export function playSeeds(file: number): void {
  describe('a cluster in virtual time keeps its promises whatever happens to it', () => {
    for (let from = 1 + file * BATCH; from <= SEEDS; from += FILES * BATCH) {
      const to = Math.min(SEEDS, from + BATCH - 1);
      test(`seeds ${from} to ${to}`, { timeout: 900_000 }, () => {
        for (let seed = from; seed <= to; seed += 1) {
          const report = new Sim({ seed }).play();
          expect(report.acknowledged).toBeGreaterThan(0);
        }
      });
    }
  });
}
