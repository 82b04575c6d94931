import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { openProcessRuntime } from './process/process-runtime.ts';

/** Opens the driver that was asked for; `auto` takes the best one there is. */
export async function openRuntime(
  choice: 'auto' | 'docker' | 'process',
  dir: string,
  log: Logger,
): Promise<Runtime> {
  if (choice === 'docker') {
    throw new PlatformError(
      'invalid_params',
      'Cannot run dynos with "docker": this version has no Docker driver',
      {
        hint: 'Use --runtime process',
      },
    );
  }
  return openProcessRuntime({ dir, log });
}
