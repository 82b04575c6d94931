import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { eachLine } from './each-line.ts';
import { runInContainer } from './run-in-container.ts';
import { sandboxArgv, type Ended, type OnLine, type Sandbox, type SandboxCommand } from './sandbox.ts';

// After the process has ended, a grandchild that kept the pipe open may not hold the build up.
const PIPE_GRACE_MS = 2_000;

/**
 * Runs a command in its own process group, or container, until it ends; `onLine` gets its output by lines. When `signal` aborts, the
 * whole group is killed.
 */
export async function runInSandbox(
  sandbox: Sandbox,
  command: SandboxCommand,
  onLine: OnLine,
  signal: AbortSignal,
): Promise<Ended> {
  if (sandbox.kind === 'docker') {
    return await runInContainer(sandbox.engine, sandbox.uid, command, onLine, signal);
  }
  signal.throwIfAborted();
  const [file = 'bash', ...args] = sandboxArgv(sandbox, command);
  const child = spawn(file, args, {
    cwd: '/',
    env: { ...command.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killGroup = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // ESRCH: nobody is left in the group, which is what we want.
      return;
    }
  };
  signal.addEventListener('abort', killGroup, { once: true });
  const lines = Promise.all([
    eachLine(child.stdout, (line) => onLine(line, 'stdout')),
    eachLine(child.stderr, (line) => onLine(line, 'stderr')),
  ]);
  try {
    const ended = await new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status, name) => resolve({ status, signal: name }));
      if (child.pid !== undefined) beNice(child.pid);
    });
    killGroup();
    const late = setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, PIPE_GRACE_MS);
    await lines;
    clearTimeout(late);
    return ended;
  } finally {
    signal.removeEventListener('abort', killGroup);
  }
}

/** A build may take what dynos leave. */
function beNice(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already.
    return;
  }
}
