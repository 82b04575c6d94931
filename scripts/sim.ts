import { parseArgs } from 'node:util';
import { Sim, type SimReport } from '../test/sim/sim.ts';

/** `npm run sim -- --seeds N [--from S]` explores; `npm run sim -- --seed S` replays one. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string' },
    peers: { type: 'string' },
  },
});
const from = Number(values.seed ?? values.from ?? 1);
const count = values.seed === undefined ? Number(values.seeds ?? 100) : 1;
const reports: SimReport[] = [];
let failed = 0;
for (let seed = from; seed < from + count; seed += 1) {
  try {
    const report = new Sim({
      seed,
      ...(values.peers === undefined ? {} : { peers: Number(values.peers) }),
    }).play();
    reports.push(report);
    if (count === 1) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.stdout.write(`  replay: npm run sim -- --seed ${seed}\n`);
    if (count === 1) throw error;
  }
  if ((seed - from + 1) % 50 === 0) process.stderr.write(`${seed - from + 1} of ${count} seeds\n`);
}
const settled = reports.map(({ settledAfterMs }) => settledAfterMs).sort((a, b) => a - b);
const quantile = (q: number): string =>
  `${((settled[Math.floor((settled.length - 1) * q)] ?? 0) / 1_000).toFixed(1)} s`;
process.stdout.write(
  `Settled after the last fault: median ${quantile(0.5)}, 95 % ${quantile(0.95)}, worst ${quantile(1)}\n`,
);
process.stdout.write(`${reports.length} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
