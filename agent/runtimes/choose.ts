import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { openProcessRuntime } from './process/process-runtime.ts';

export type RuntimeOptions = {
  readonly dir: string;
  readonly log: Logger;
  /** Image that slugs run on where there is an Engine. */
  readonly stackImage?: string;
};

/** Opens the driver that was asked for; `auto` takes Docker where an Engine answers and has the stack, else processes. */
export async function openRuntime(
  choice: 'auto' | 'docker' | 'process',
  { dir, log, stackImage = STACK_IMAGE }: RuntimeOptions,
): Promise<Runtime> {
  if (choice === 'process') return await openProcessRuntime({ dir, log });
  try {
    // Loaded only here: the Engine's library is memory that a peer without an Engine need not pay.
    const { openDockerRuntime } = await import('./docker/docker-runtime.ts');
    const runtime = await openDockerRuntime({ dir, log, stackImage });
    log.info({ runtime: 'docker', isolation: runtime.isolation }, 'dynos run in containers');
    return runtime;
  } catch (cause) {
    if (choice === 'docker') throw mustBeDocker(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const runtime = await openProcessRuntime({ dir, log });
    log.info({ runtime: 'process', isolation: runtime.isolation, reason }, 'dynos run as processes');
    return runtime;
  }
}

function mustBeDocker(cause: unknown): PlatformError {
  if (cause instanceof PlatformError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PlatformError('unavailable', `Cannot run dynos with "docker": ${reason}`, {
    hint: 'Use --runtime process, or --runtime auto',
    cause,
  });
}
