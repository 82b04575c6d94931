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
  if (pids.length === 0) return;
  if (process.getuid?.() === 0) signalAll(pids, signal);
  else await signalFromInside(container, signal);
}

/** Host pids of all processes but the first, proved to be this container's. */
async function pidsOnHost(container: Container): Promise<number[]> {
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
    // 409 or 500: it has ended meanwhile.
    if (statusOf(error) !== null) return [];
    throw error;
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
  const exec = await container.exec({ Cmd: ['/bin/sh', '-c', `kill -${name} -1`] });
  try {
    await within(ASK_MS_MAX, 'to signal', exec.start({ Detach: true }));
  } catch (error) {
    // An image without a shell: then only its first process is reached.
    if (!/executable file not found|no such file/.test(reasonOf(error))) throw error;
    await unlessGone(container.kill({ signal }));
  }
}
