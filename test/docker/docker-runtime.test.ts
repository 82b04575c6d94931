import { pino } from 'pino';
import { openDockerRuntime } from '../../agent/runtimes/docker/docker-runtime.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { insideContract } from '../contract/inside.ts';
import { runtimeContract } from '../contract/runtime.ts';

const log = pino({ level: process.env['KITH_TEST_LOG'] ?? 'silent' });

const open = (dir: string): Promise<Runtime> =>
  openDockerRuntime({ dir: `${dir}/data`, log, stackImage: STACK_IMAGE });

runtimeContract('docker', open);
insideContract('docker', open);
