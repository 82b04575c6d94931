import { pino } from 'pino';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import type { DynoSpec } from '../../src/shell/runtime.ts';

/** An agent to be killed: `crashing-agent.ts DIR auto|off SPEC`. Starts one dyno and prints its lines. */
const [, , dir, bubblewrap, spec] = process.argv;
const log = pino({ level: 'silent' });
const runtime = await openProcessRuntime({
  dir: dir ?? '',
  log,
  bubblewrap: bubblewrap === 'off' ? 'off' : 'auto',
});
runtime.onEvent((event) => {
  if (event.tag === 'output') process.stdout.write(`${event.text}\n`);
});
await runtime.start(JSON.parse(spec ?? '') as DynoSpec);
