import { expect, test } from 'vitest';
import type { FaultKind } from './faults.ts';
import { Random } from './random.ts';
import { SimVolumes } from './sim-volumes.ts';
import { Sim } from './sim.ts';

const TROUBLE_MS = 60_000;
const SEEDS = Number(process.env['KITH_SIM_SEEDS'] ?? 40);

/**
 * All that may befall a host but forgetting what it wrote (a disk put back to an earlier day tells an earlier truth of
 * where a volume is) and being removed while it still runs: who does that says that its volumes are lost.
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
  'leave',
  'split',
  'isolate',
  'one-way',
  'flap',
  'gossip-loss',
  'slow-network',
];

test(
  'whatever befalls hosts and network, a volume is written to on one host at a time, and no write is lost',
  { timeout: 240_000 },
  () => {
    let [moves, writes] = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = new Random(seed * 31);
      const kinds = KINDS.filter(() => random.chance(0.25));
      const sim = new Sim({ seed, kinds, troubleMs: TROUBLE_MS });
      const volumes = new SimVolumes(sim, seed);
      volumes.begin(TROUBLE_MS);
      sim.play();
      moves += volumes.moves;
      writes += volumes.writes;
    }
    expect(moves).toBeGreaterThan(SEEDS);
    expect(writes).toBeGreaterThan(100 * SEEDS);
  },
);
