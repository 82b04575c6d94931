import type { Logger } from 'pino';
import { R12, R16 } from '../../src/dynos/error-lines.ts';
import type { Runtime } from '../../src/shell/runtime.ts';

/** How a dyno is asked to end before it is made to. */
export type EndPlan = {
  readonly signal: 'SIGHUP' | 'SIGTERM';
  readonly times: number;
  /** Between two signals, and after the last. */
  readonly everyMs: number;
  /** What the app's log says at each signal, and when they were of no use. */
  readonly asking: string;
  readonly late: string;
};

/** Its client has left. https://devcenter.heroku.com/articles/error-codes#r16-detached */
export const HANG_UP: EndPlan = {
  signal: 'SIGHUP',
  times: 4,
  everyMs: 5_000,
  asking: 'Client connection closed. Sending SIGHUP to all processes',
  late: R16,
};

/** Nobody attached in time. https://devcenter.heroku.com/articles/error-codes#r13-attach-error */
export const ABSENT: EndPlan = { ...HANG_UP, asking: 'No client came. Sending SIGHUP to all processes' };

export const STOP: EndPlan = {
  signal: 'SIGTERM',
  times: 1,
  everyMs: 30_000,
  asking: 'Stopping all processes with SIGTERM',
  late: R12,
};

type Parts = {
  readonly send: (signal: Parameters<Runtime['signal']>[1]) => Promise<void>;
  readonly say: (text: string) => void;
  readonly log: Logger;
};

/**
 * Ends a dyno: asks as planned, then kills, and again for as long as the runtime does not get to it.
 * @param over aborts when the dyno has ended, or nobody looks after it any more
 */
export async function endDyno({ send, say, log }: Parts, plan: EndPlan, over: AbortSignal): Promise<void> {
  const ask = async (signal: Parameters<typeof send>[0]): Promise<void> => {
    try {
      await send(signal);
    } catch (err) {
      log.warn({ signal, err }, 'one-off not signalled');
    }
    await pause(plan.everyMs, over);
  };
  for (let i = 0; i < plan.times && !over.aborted; i += 1) {
    say(plan.asking);
    await ask(plan.signal);
  }
  if (over.aborted) return;
  say(plan.late);
  say('Stopping remaining processes with SIGKILL');
  while (!over.aborted) await ask('SIGKILL');
}

/** Resolves after so long, or at once when `over` aborts. */
function pause(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      over.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    over.addEventListener('abort', done, { once: true });
    if (over.aborted) done();
  });
}
