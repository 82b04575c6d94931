import { connect } from 'node:net';
import type { DynoAddress } from '../../../src/shell/runtime.ts';

const FIRST_POLL_MS = 10;
const POLL_MS_MAX = 250;

/** Calls `onListening` once the port accepts at one of the hosts, with that one. Stop it with the returned function. */
export function watchAddress(
  hosts: readonly string[],
  port: number,
  onListening: (address: DynoAddress) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const poll = async (waitMs: number): Promise<void> => {
    const address = await acceptingAddress(hosts, port);
    if (isStopped) return;
    if (address !== null) onListening(address);
    else timer = setTimeout(() => void poll(Math.min(waitMs * 1.2, POLL_MS_MAX)), waitMs);
  };
  void poll(FIRST_POLL_MS);
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** The first of the hosts where the port accepts; null when none does within that time: one that refuses does so at once. */
export async function acceptingAddress(
  hosts: readonly string[],
  port: number,
  withinMs = POLL_MS_MAX,
): Promise<DynoAddress | null> {
  const answers = await Promise.all(hosts.map((host) => accepts(host, port, withinMs)));
  const host = hosts[answers.indexOf(true)];
  return host === undefined ? null : { host, port };
}

function accepts(host: string, port: number, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(withinMs, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
