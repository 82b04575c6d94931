import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAgent } from './bench/agent.ts';
import { benchConverge } from './bench/converge.ts';
import { benchDeploy } from './bench/deploy.ts';
import { benchDynoStart } from './bench/dyno-start.ts';
import { benchFailover } from './bench/failover.ts';
import { benchPorts } from './bench/ports.ts';
import { machineLine, renderFinding, writeFinding, type Finding } from './bench/report.ts';

/**
 * `npm run bench` measures everything and writes BENCHMARKS.md; `npm run bench -- NAME...` only that. `--quick` takes
 * few samples and writes nothing: to see that a bench works.
 */
const BENCHES: Readonly<Record<string, (options: { readonly quick: boolean }) => Promise<Finding>>> = {
  failover: benchFailover,
  converge: benchConverge,
  deploy: benchDeploy,
  agent: benchAgent,
  'dyno-start': benchDynoStart,
  ports: benchPorts,
};

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  process.stderr.write(`No bench "${unknown.join('", "')}". There are: ${Object.keys(BENCHES).join(', ')}\n`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  process.stdout.write(`\n== ${name}\n`);
  const loadBefore = loadavg()[0] ?? 0;
  const text = renderFinding(await bench({ quick: values.quick }), machineLine(loadBefore));
  process.stdout.write(`\n${text}\n`);
  if (!values.quick) writeFinding(name, text);
}
