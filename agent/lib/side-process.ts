import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../../src/errors.ts';
import { compileAhead, SIDE_FLAGS, sideEnv } from './compile-ahead.ts';

export type SideProcess = {
  readonly socket: Socket;
  /** False when it was already running: a former agent's. */ readonly spawned: boolean;
};

/** A process that fails ends, which shows at once. On a small host under load a sound one has taken many seconds. */
const ANSWERS_WITHIN_MS = 45_000;

/** Those that this agent started itself. */
const spawned = new Set<ChildProcess>();

/** Ends what this agent has started beside itself: for a start that failed before anything could run in them. */
export function endSpawned(): void {
  for (const child of spawned) child.kill('SIGKILL');
}

/**
 * Connects to a process that lives beside the agent and outlives it (the keeper, the router), starting it in its own
 * session when nothing answers on its socket.
 * @param entry TypeScript file that the process runs; it must listen on `socketPath`, replacing a stale socket file, and
 *   end at once when told to `--compile`
 * @param logPath gets its stderr and stdout
 */
export async function ensureSideProcess(
  entry: string,
  args: readonly string[],
  socketPath: string,
  logPath: string,
): Promise<SideProcess> {
  const found = await tryConnect(socketPath);
  if (found !== null) return { socket: found, spawned: false };
  const env = sideEnv(dirname(logPath));
  await compileAhead(entry, env);
  const log = openSync(logPath, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [...SIDE_FLAGS, entry, ...args], {
      detached: true,
      stdio: ['ignore', log, log],
      env,
    });
    child.unref();
    spawned.add(child);
    child.once('exit', () => spawned.delete(child));
    const deadline = performance.now() + ANSWERS_WITHIN_MS;
    while (performance.now() < deadline) {
      const socket = await tryConnect(socketPath);
      if (socket !== null) return { socket, spawned: true };
      if (child.exitCode !== null || child.signalCode !== null) break;
      await sleep(20);
    }
  } finally {
    closeSync(log);
  }
  throw new PlatformError(
    'internal',
    `"${entry}" did not answer on "${socketPath}" within ${ANSWERS_WITHIN_MS} ms`,
    {
      hint: `See "${logPath}"`,
    },
  );
}

function tryConnect(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', () => resolve(null));
  });
}
