import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import type { Runtime } from '../../src/shell/runtime.ts';
import { findEngine } from '../lib/engine.ts';
import { lastRuntime, noteRuntime } from './last-runtime.ts';
import { countLeftRunning } from './process/left-running.ts';
import { openProcessRuntime } from './process/process-runtime.ts';

/** A host that boots starts agent and Engine at once, and an Engine with many containers takes its time. */
const ENGINE_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 250;

export type RuntimeOptions = {
  /** The peer's data folder, which is there. */
  readonly dir: string;
  readonly log: Logger;
  /** Image that slugs run on where there is an Engine. */
  readonly stackImage?: string;
  /** MiB that one dyno may write where the Engine can bound it; 0, or none: as much as there is. */
  readonly dynoDiskMiB?: number;
  /** How long `auto` waits for an Engine that ran this peer's dynos before. */
  readonly engineWaitMs?: number;
};

/** Opens the driver that was asked for; `auto` takes Docker where an Engine answers and has the stack, else processes. */
export async function openRuntime(
  choice: 'auto' | 'docker' | 'process',
  options: RuntimeOptions,
): Promise<Runtime> {
  const runtime = await openChosen(choice, options);
  await noteRuntime(options.dir, runtime.kind);
  return runtime;
}

async function openChosen(
  choice: 'auto' | 'docker' | 'process',
  { stackImage = STACK_IMAGE, engineWaitMs = ENGINE_WAIT_MS, ...options }: RuntimeOptions,
): Promise<Runtime> {
  const { dir, log } = options;
  if (choice === 'process') return await openProcessRuntime({ dir, log });
  if (choice === 'auto' && (await countLeftRunning(dir)) > 0) {
    const reason =
      'dynos of a former agent run as processes; a start that finds none of them takes containers';
    return await openProcesses(reason, { dir, log });
  }
  const hadDocker = (await lastRuntime(dir)) === 'docker';
  if (choice === 'auto' && hadDocker) await awaitEngine(log, engineWaitMs);
  try {
    // Loaded only here: the Engine's library is memory that a peer without an Engine need not pay.
    const { openDockerRuntime } = await import('./docker/docker-runtime.ts');
    const runtime = await openDockerRuntime({ ...options, stackImage });
    log.info({ runtime: 'docker', isolation: runtime.isolation }, 'dynos run in containers');
    return runtime;
  } catch (cause) {
    if (choice === 'docker') throw mustBeDocker(cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    const runtime = await openProcesses(reason, { dir, log });
    if (hadDocker) log.warn({ reason }, 'containers that ran dynos of this peer before may still run');
    return runtime;
  }
}

async function openProcesses(
  reason: string,
  { dir, log }: Pick<RuntimeOptions, 'dir' | 'log'>,
): Promise<Runtime> {
  const runtime = await openProcessRuntime({ dir, log });
  log.info({ runtime: 'process', isolation: runtime.isolation, reason }, 'dynos run as processes');
  return runtime;
}

/** Dynos of a former agent are in the Engine: a peer that did not wait for it would run each a second time. */
async function awaitEngine(log: Logger, waitMs: number): Promise<void> {
  const deadline = performance.now() + waitMs;
  if ((await findEngine()) !== null) return;
  log.info({ waitMs }, 'waiting for the Docker Engine, which ran the dynos of this peer before');
  while (performance.now() < deadline) {
    await sleep(LOOK_EVERY_MS);
    if ((await findEngine()) !== null) return;
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
