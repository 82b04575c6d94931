import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiRequest } from '../api.ts';

const LOOK_MS = 25;

/**
 * Waits until the ledger says so here. Resolves, whether it does or not, once the time is over, the client has left or this
 * server closes: what was asked for is written down, and goes on.
 */
export async function inView(request: ApiRequest, withinMs: number, check: () => boolean): Promise<void> {
  const { api, response } = request;
  const until = performance.now() + withinMs;
  while (!check() && performance.now() < until && !response.destroyed && !api.closing.aborted)
    await sleep(LOOK_MS);
}
