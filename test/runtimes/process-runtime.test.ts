import { pino } from 'pino';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import { insideContract } from '../contract/inside.ts';
import { runtimeContract } from '../contract/runtime.ts';

// Others cannot always bound the processes of a dyno without groups of their own.
const isRoot = process.getuid?.() === 0;
const log = pino({ level: 'silent' });

runtimeContract('process with bubblewrap', (dir) => openProcessRuntime({ dir: `${dir}/data`, log }));
runtimeContract('process without namespaces', (dir) =>
  openProcessRuntime({ dir: `${dir}/data`, log, bubblewrap: 'off' }),
);

for (const bubblewrap of ['auto', 'off'] as const) {
  for (const cgroups of ['auto', 'off'] as const) {
    insideContract(
      `process, bubblewrap ${bubblewrap}, control groups ${cgroups}`,
      (dir) => openProcessRuntime({ dir: `${dir}/data`, log, bubblewrap, cgroups }),
      isRoot,
    );
  }
}
