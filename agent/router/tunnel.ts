import type { Socket } from 'node:net';
import type { Timed } from './deadlines.ts';
import type { RouterCore } from './router-core.ts';

/** After a 101: bytes both ways with back-pressure, until both sides have ended or nothing moved for too long. */
export class Tunnel implements Timed {
  dueAt: number;
  /** From the dyno to the client. */
  bytes = 0;
  readonly #core: RouterCore;
  readonly #client: Socket;
  readonly #dyno: Socket;
  readonly #onEnd: (isIdle: boolean) => void;
  #isEnded = false;

  /** @param onEnd called once; both sockets are closed by then */
  constructor(core: RouterCore, client: Socket, dyno: Socket, onEnd: (isIdle: boolean) => void) {
    this.#core = core;
    this.#client = client;
    this.#dyno = dyno;
    this.#onEnd = onEnd;
    this.dueAt = performance.now() + core.settings.idleMs;
    core.deadlines.add(this);
    this.#pipe(client, dyno, () => {});
    this.#pipe(dyno, client, (bytes) => (this.bytes += bytes));
  }

  onDue(): void {
    this.#end(true);
  }

  #pipe(from: Socket, to: Socket, count: (bytes: number) => void): void {
    from.on('data', (chunk: Buffer) => {
      this.dueAt = performance.now() + this.#core.settings.idleMs;
      count(chunk.length);
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    // `error` is always followed by `close`.
    from.on('error', () => {});
    from.on('close', () => {
      // What was written to the other side still goes out.
      if (to.destroyed) this.#end(false);
      else to.destroySoon();
    });
    from.resume();
  }

  #end(isIdle: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#core.deadlines.delete(this);
    this.#client.destroy();
    this.#dyno.destroy();
    this.#onEnd(isIdle);
  }
}
