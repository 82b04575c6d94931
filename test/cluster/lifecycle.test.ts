import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DynoUsageResource } from '../../src/platform/dyno-usage.ts';
import { eventually } from '../helpers/eventually.ts';
import { deploy, formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';

/** To the second, as times of dynos are told. */
const began = Math.floor(Date.now() / 1_000) * 1_000;
const TEST_MS = 480_000;
const APP = 'hungry';
const cluster = useCluster(2);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');

/** Holds 560 MiB, more than the quota of `Basic` and less than twice as much. */
const WORKER = `import time
hold = b'x' * (560 << 20)
print('full', flush=True)
time.sleep(100000)
`;

type PsJson = readonly { readonly name: string; readonly usage: DynoUsageResource | null }[];

function writeHungryApp(): string {
  const dir = join(cluster.dir, 'hungry');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'Procfile'), 'web: python3 -m http.server $PORT\nworker: python3 worker.py\n');
  writeFileSync(join(dir, 'worker.py'), WORKER);
  return dir;
}

test(
  'a dyno over its quota says R14 at whichever peer it runs, and ps shows what it uses',
  { timeout: TEST_MS },
  async () => {
    await deploy(ash, APP, writeHungryApp());
    await ash.kith(['features:enable', 'log-runtime-metrics', '-a', APP]);
    await ash.kith(['ps:scale', 'web=1', 'worker=1', '-a', APP]);
    await formationMet(birch, APP, 2);
    await eventually(
      async () => {
        for (const peer of [ash, birch]) {
          const dynos = await peer.json<PsJson>(['ps', '-a', APP]);
          const worker = dynos.find(({ name }) => name === 'worker.1');
          expect(worker?.usage?.memory_quota_mib).toBe(512);
          expect(worker?.usage?.memory_mib).toBeGreaterThan(550);
        }
        const log = await birch.kith(['logs', '-n', '500', '-a', APP]);
        expect(log).toMatch(
          /heroku\[worker\.1\]: Process running mem=5\d\dM\(1\d\d\.\d%\)\n.*Error R14 \(Memory quota exceeded\)/,
        );
        expect(log).toMatch(/heroku\[web\.1\]: source=web\.1 dyno=heroku\.[-\w.]+ sample#memory_total=\d/);
        return true;
      },
      // What it uses is told every twenty seconds.
      { withinMs: 3 * WAIT_MS, everyMs: 1_000 },
    );
  },
);

test(
  'a dyno has been up since its launch, also for an agent that started after it',
  { timeout: TEST_MS },
  async () => {
    const before = await formationMet(ash, APP, 2);
    await ash.kith(['ps:type', 'worker=standard-2x', '-a', APP]);
    const sized = await formationMet(birch, APP, 2, (dynos) =>
      dynos.some(({ size }) => size === 'Standard-2X'),
    );
    expect(sized.find(({ type }) => type === 'web')?.id).toBe(before.find(({ type }) => type === 'web')?.id);
    for (const peer of [ash, birch]) {
      peer.agent.signalAgent('SIGHUP');
      await peer.agent.exited();
      await peer.start();
    }
    await cluster.allAlive();
    const after = await formationMet(ash, APP, 2);
    for (const dyno of after) {
      const was = sized.find(({ id }) => id === dyno.id);
      // From the launch on, which was before the first agent found it up; the next one started long after.
      expect(Date.parse(dyno.updated_at)).toBeLessThanOrEqual(Date.parse(was?.updated_at ?? ''));
      expect(Date.parse(dyno.updated_at)).toBeGreaterThanOrEqual(began);
    }
  },
);
