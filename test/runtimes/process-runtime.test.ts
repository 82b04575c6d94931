import { pino } from 'pino';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import { runtimeContract } from '../contract/runtime.ts';

const log = pino({ level: 'silent' });

runtimeContract('process with bubblewrap', (dir) => openProcessRuntime({ dir: `${dir}/data`, log }));
runtimeContract('process without namespaces', (dir) =>
  openProcessRuntime({ dir: `${dir}/data`, log, bubblewrap: 'off' }),
);
