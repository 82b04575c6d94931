import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PeerHost } from '../../src/shell/host.ts';
import type { PeerLoop } from './peer-loop.ts';

/** Others get so long to take over before what is left here is stopped anyway. */
const HAND_OVER_MS = 60_000;
/** SIGTERM to a dyno, SIGKILL after 30 s, and a little. */
const STOP_DYNOS_MS = 40_000;
const LOOK_MS = 20;

/** Gives every dyno to other peers, start-first; what nobody takes in time is stopped. */
export async function handOver(host: PeerHost, loop: PeerLoop, log: Logger): Promise<void> {
  const drained = host
    .drain(true)
    .catch((err: unknown) => log.warn({ err }, 'not all dynos were handed over'));
  await Promise.race([drained, sleep(HAND_OVER_MS, undefined, { ref: false })]);
  loop.dispatch({ tag: 'stopAll' });
  const deadline = performance.now() + STOP_DYNOS_MS;
  while (loop.state.dynos.size > 0 && performance.now() < deadline) await sleep(LOOK_MS);
}
