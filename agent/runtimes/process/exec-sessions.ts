import type { ExecSession } from '../../../src/shell/runtime.ts';
import type { KeeperEvent } from './keeper-client.ts';

type Ended = Awaited<ExecSession['ended']>;

const UNKNOWN: Ended = { status: null, signal: null };

/** How the commands beside this agent's dynos end. */
export class ExecSessions {
  readonly #open = new Map<string, (ended: Ended) => void>();

  /** To be called before the keeper is asked for it: its end may be told at once. */
  open(id: string): Promise<Ended> {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    this.#open.set(id, resolve);
    return promise;
  }

  onEvent(event: KeeperEvent): void {
    if (event.tag !== 'exited') return;
    this.close(event.dyno, { status: event.status, signal: event.signal });
  }

  close(id: string, ended = UNKNOWN): void {
    this.#open.get(id)?.(ended);
    this.#open.delete(id);
  }

  /** The connection that would have told of their ends is gone. */
  closeAll(): void {
    for (const id of this.#open.keys()) this.close(id);
  }
}
