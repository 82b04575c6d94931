import { readFile } from 'node:fs/promises';
import type { Container } from 'dockerode';
import { signalAll } from '../keeper/process-tree.ts';
import { reasonOf, statusOf, unlessGone, within } from '../../lib/engine.ts';

const ASK_MS_MAX = 10_000;

type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGINT';

/**
 * Signals every process of a container but its init, which would pass it on to one only, or end it. Where the agent may
 * signal them from the host it does: a dyno that has used up its processes could run no `kill` of its own.
 */
export async function signalInside(container: Container, signal: Signal): Promise<void> {
  if (signal === 'SIGKILL') return await unlessGone(container.kill({ signal }));
  const pids = await pidsOnHost(container);
  if (pids?.length === 0) return;
  if (pids !== null && process.getuid?.() === 0) signalAll(pids, signal);
  else await signalFromInside(container, signal);
}

/** Host pids of all processes but the first, proved to be this container's; null when the Engine cannot tell. */
async function pidsOnHost(container: Container): Promise<number[] | null> {
  try {
    const { State } = await within(ASK_MS_MAX, 'for a container', container.inspect());
    const top = await within(ASK_MS_MAX, 'for processes', container.top());
    const answer = top as { Titles: string[]; Processes: string[][] | null };
    const column = answer.Titles.indexOf('PID');
    const pids = (answer.Processes ?? [])
      .map((row) => Number(row[column]))
      .filter((pid) => pid !== State.Pid);
    const own = await Promise.all(pids.map((pid) => isIn(container.id, pid)));
    return pids.filter((_, index) => own[index]);
  } catch (error) {
    const status = statusOf(error);
    if (status === null) throw error;
    // It has ended meanwhile; or the Engine, which runs the host's `ps`, finds none that works.
    return status === 404 || status === 409 ? [] : null;
  }
}

/** Pids are used again, and the Engine may count them in another namespace: the cgroup tells. */
export async function isIn(containerId: string, pid: number): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cgroup`, 'utf8')).includes(containerId);
  } catch {
    return false;
  }
}

async function signalFromInside(container: Container, signal: Signal): Promise<void> {
  const name = signal.slice('SIG'.length);
  const kill = async (): Promise<unknown> => {
    const exec = await container.exec({ Cmd: ['/bin/sh', '-c', `kill -${name} -1`] });
    return await exec.start({ Detach: true });
  };
  try {
    await within(ASK_MS_MAX, 'to signal', unlessGone(kill()));
  } catch (error) {
    const reason = reasonOf(error);
    if (/stopped container/.test(reason)) return;
    // An image without a shell: then only its first process is reached.
    if (!/executable file not found|no such file/.test(reason)) throw error;
    await unlessGone(container.kill({ signal }));
  }
}
