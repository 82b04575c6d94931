import { expect, test } from 'vitest';
import type { FaultKind } from './faults.ts';
import { Random } from './random.ts';
import { SimVolumes } from './sim-volumes.ts';
import { Sim } from './sim.ts';

const TROUBLE_MS = 60_000;
const SEEDS = Number(process.env['KITH_SIM_SEEDS'] ?? 30);
const BATCH = 10;

/**
 * All that may befall a host but forgetting what it wrote (a disk put back to an earlier day tells an earlier truth of
 * where a volume is), and going for good, by being removed or by leaving: its volumes go with it.
 */
const KINDS: readonly FaultKind[] = [
  'agent-crash',
  'host-kill',
  'power-loss',
  'all-die',
  'slow-disk',
  'clock-skew',
  'clock-jump',
  'stall',
  'freeze',
  'dyno-crashes',
  'boot-failures',
  'engine-away',
  'drain',
  'split',
  'isolate',
  'one-way',
  'flap',
  'gossip-loss',
  'slow-network',
];

for (let from = 1; from <= SEEDS; from += BATCH) {
  const to = Math.min(SEEDS, from + BATCH - 1);
  test(
    `a volume is written to on one host at a time, and no write is lost: seeds ${from} to ${to}`,
    { timeout: 900_000 },
    () => {
      let [moves, writes, backups] = [0, 0, 0];
      for (let seed = from; seed <= to; seed += 1) {
        const random = new Random(seed * 31);
        const kinds = KINDS.filter(() => random.chance(0.25));
        const sim = new Sim({ seed, kinds, troubleMs: TROUBLE_MS });
        const volumes = new SimVolumes(sim, seed);
        volumes.begin(TROUBLE_MS);
        sim.play();
        volumes.checkBackups();
        moves += volumes.moves;
        writes += volumes.writes;
        backups += volumes.backups;
      }
      expect(moves).toBeGreaterThan(0);
      expect(writes).toBeGreaterThan(0);
      expect(backups).toBeGreaterThan(0);
    },
  );
}
