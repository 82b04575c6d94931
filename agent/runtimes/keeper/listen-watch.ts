import { connect } from 'node:net';

const FIRST_POLL_MS = 10;
const POLL_MS_MAX = 250;

const HOSTS = ['127.0.0.1', '::1'];

/** Calls `onListening` once the port accepts on a loopback address, with that. Stop it with the returned function. */
export function watchPort(port: number, onListening: (host: string) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const poll = async (waitMs: number): Promise<void> => {
    const answers = await Promise.all(HOSTS.map((host) => accepts(host, port)));
    if (isStopped) return;
    const host = HOSTS[answers.indexOf(true)];
    if (host !== undefined) onListening(host);
    else timer = setTimeout(() => void poll(Math.min(waitMs * 1.2, POLL_MS_MAX)), waitMs);
  };
  void poll(FIRST_POLL_MS);
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(POLL_MS_MAX, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
