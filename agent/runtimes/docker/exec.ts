import { randomUUID } from 'node:crypto';
import { duplexPair, type Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Exec } from 'dockerode';
import { PlatformError } from '../../../src/errors.ts';
import type { ExecSession, ExecSpec } from '../../../src/shell/runtime.ts';
import type { Tasks } from '../../lib/tasks.ts';
import { familyOf, listProcesses, signalAll } from '../keeper/process-tree.ts';
import { holdStdio } from './container-stdio.ts';
import { engineError, statusOf, within } from '../../lib/engine.ts';
import { isIn } from './inside.ts';
import { execEnv, wrapperArgv } from './wrapper.ts';

const BEGIN_MS_MAX = 30_000;
const HANG_UP_MS = 2_000;
/** Its connection has ended: the Engine needs a moment to know the status. */
const STATUS_TRIES = 100;
const STATUS_EVERY_MS = 50;
/** In the environment of a command, where only a look from inside can find its processes again. */
const MARK = 'KITH_EXEC_ID';

type Dyno = {
  readonly container: Container;
  readonly name: string;
  readonly isSlug: boolean;
};

/** A program and its environment, as the Engine takes them. */
export type Program = { readonly Cmd: string[]; readonly Env: string[]; readonly WorkingDir?: string };

/** Runs a command beside a dyno's own. */
export async function execIn(dyno: Dyno, spec: ExecSpec, tasks: Tasks): Promise<ExecSession> {
  const { tty, command } = spec;
  const term = tty === null ? {} : { TERM: tty.term };
  const env = { ...spec.env, ...term };
  const program = dyno.isSlug
    ? { Cmd: wrapperArgv({ tty }), Env: execEnv(env, command) }
    : { Cmd: ['/bin/sh', '-c', command], Env: Object.entries(env).map((pair) => pair.join('=')) };
  return await runIn(dyno, program, tty !== null, tasks);
}

/** Runs a program in a dyno's container, as the dyno's user. */
export async function runIn(
  dyno: Dyno,
  program: Program,
  isTty: boolean,
  tasks: Tasks,
): Promise<ExecSession> {
  const mark = randomUUID();
  const marks = isRoot() ? [] : [`${MARK}=${mark}`];
  try {
    const exec = await within(
      BEGIN_MS_MAX,
      'to run a command',
      dyno.container.exec({
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: isTty,
        ...program,
        Env: [...program.Env, ...marks],
      }),
    );
    const started = exec.start({ hijack: true, stdin: true, Tty: isTty });
    const connection: Duplex = await within(BEGIN_MS_MAX, 'to run a command', started);
    return sessionOf(exec, connection, isTty, () =>
      tasks.run('end a command', () => endCommand(dyno.container, exec, mark)),
    );
  } catch (cause) {
    const status = statusOf(cause);
    if (status === 404 || status === 409) {
      const message = `Cannot run a command in "${dyno.name}": it does not run any more`;
      throw new PlatformError('not_found', message, { resource: 'dyno', cause });
    }
    throw engineError(`Cannot run a command in "${dyno.name}"`, cause);
  }
}

function sessionOf(exec: Exec, connection: Duplex, isTty: boolean, end: () => void): ExecSession {
  const [inner, stdio] = duplexPair();
  const { attachment } = holdStdio(connection, isTty);
  let hasEnded = false;
  attachment.connect(inner);
  const ended = (async () => {
    await new Promise((resolve) => connection.once('close', resolve));
    hasEnded = true;
    return await exitOf(exec);
  })();
  // Whoever does not wait for the end must not be told of its failure by the process.
  ended.catch(() => {});
  stdio.on('error', () => {});
  stdio.once('close', () => {
    inner.destroy();
    if (!hasEnded) end();
  });
  const resize = async (columns: number, rows: number): Promise<void> => {
    await within(BEGIN_MS_MAX, 'to resize a terminal', exec.resize({ w: columns, h: rows }));
  };
  return { stdio, resize, ended };
}

async function exitOf(exec: Exec): Promise<{ status: number | null; signal: string | null }> {
  for (let round = 0; round < STATUS_TRIES; round += 1) {
    try {
      const { Running, ExitCode } = await exec.inspect();
      if (!Running) return { status: ExitCode, signal: null };
    } catch (error) {
      // The container is gone, and the Engine has forgotten what ran in it.
      if (statusOf(error) !== null) break;
    }
    await sleep(STATUS_EVERY_MS);
  }
  return { status: null, signal: 'SIGKILL' };
}

/** As when a terminal is closed; what stays is killed. */
async function endCommand(container: Container, exec: Exec, mark: string): Promise<void> {
  const pid = await pidOf(exec);
  if (pid === null) return;
  if (!isRoot()) {
    const find = `for p in /proc/[0-9]*; do grep -qsa ${MARK}=${mark} $p/environ && kill -KILL \${p#/proc/}; done`;
    const killer = await container.exec({ Cmd: ['/bin/sh', '-c', find] });
    await killer.start({ Detach: true });
    return;
  }
  const family = familyOf(pid, listProcesses());
  const own = await Promise.all(family.map((pid) => isIn(container.id, pid)));
  const pids = family.filter((_, index) => own[index]);
  signalAll(pids, 'SIGHUP');
  for (let waited = 0; waited < HANG_UP_MS; waited += STATUS_EVERY_MS) {
    await sleep(STATUS_EVERY_MS);
    if (!(await exec.inspect()).Running) break;
  }
  const left = await Promise.all(pids.map((pid) => isIn(container.id, pid)));
  signalAll(
    pids.filter((_, index) => left[index]),
    'SIGKILL',
  );
}

/**
 * Its first process, as the host counts; null when it has ended. A command may print before the Engine knows its pid, and
 * says 0 until then: the family of 0 would be every process there is.
 */
async function pidOf(exec: Exec): Promise<number | null> {
  for (let round = 0; round < STATUS_TRIES; round += 1) {
    const { Running, Pid } = await exec.inspect();
    if (!Running) return null;
    if (Pid > 0) return Pid;
    await sleep(STATUS_EVERY_MS);
  }
  throw new PlatformError('timeout', 'The Docker Engine does not say which process a command is');
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
