import type { DynoId } from '../../src/ids.ts';
import type { DynoRuntimeEvent } from '../../src/shell/runtime.ts';
import type { OutputLog } from '../lib/output-log.ts';

export type Ending = Pick<Extract<DynoRuntimeEvent, { tag: 'exited' }>, 'status' | 'signal' | 'outOfMemory'>;

type Followed = { readonly output: OutputLog; readonly ended: PromiseWithResolvers<Ending> };

/** A quick command may have written and ended before its start has resolved; nobody's command writes more in that time. */
const EARLY_EVENTS_MAX = 10_000;

/** Follows a few dynos among all that the runtime tells of: what they write, and how they end. */
export class EndedDynos {
  readonly #followed = new Map<DynoId, Followed>();
  #starts = 0;
  #early: DynoRuntimeEvent[] = [];

  follow(dyno: DynoId, output: OutputLog): void {
    this.#followed.set(dyno, { output, ended: Promise.withResolvers() });
  }

  /** Follows the dyno that `start` is about to make, from its first line. */
  async followNext<Started extends { readonly dyno: DynoId }>(
    output: OutputLog,
    start: () => Promise<Started>,
  ): Promise<Started> {
    this.#starts += 1;
    try {
      const started = await start();
      this.follow(started.dyno, output);
      for (const event of this.#early) if (event.dyno === started.dyno) this.onRuntime(event);
      return started;
    } finally {
      this.#starts -= 1;
      if (this.#starts === 0) this.#early = [];
    }
  }

  onRuntime(event: DynoRuntimeEvent): void {
    const followed = this.#followed.get(event.dyno);
    if (followed === undefined) {
      if (this.#starts > 0 && this.#early.length < EARLY_EVENTS_MAX) this.#early.push(event);
    } else if (event.tag === 'output') {
      followed.output.write(`${event.text}\n`);
    } else if (event.tag === 'exited') {
      const { status, signal, outOfMemory } = event;
      followed.ended.resolve({ status, signal, outOfMemory });
    }
  }

  /** How a followed dyno ended; rejects when `signal` aborts. It is not followed any more then. */
  async ended(dyno: DynoId, signal: AbortSignal): Promise<Ending> {
    const followed = this.#followed.get(dyno);
    if (followed === undefined) throw new Error(`Dyno "${dyno}" is not followed`);
    const { promise, reject } = followed.ended;
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#followed.delete(dyno);
    }
  }
}
