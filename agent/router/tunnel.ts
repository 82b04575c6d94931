import type { Socket } from 'node:net';
import type { Timed } from './deadlines.ts';
import type { RouterCore } from './router-core.ts';
import { splice } from './splice.ts';

/** After a 101: bytes both ways, until both sides have ended or nothing moved for too long. */
export class Tunnel implements Timed {
  dueAt: number;
  /** From the dyno to the client. */
  bytes = 0;
  readonly #client: Socket;
  readonly #dyno: Socket;
  #isIdle = false;

  /** @param onEnd called once; both sockets are closed by then */
  constructor(core: RouterCore, client: Socket, dyno: Socket, onEnd: (isIdle: boolean) => void) {
    this.#client = client;
    this.#dyno = dyno;
    this.dueAt = performance.now() + core.settings.idleMs;
    core.deadlines.add(this);
    splice(client, dyno, {
      onBytes: (bytes, from) => {
        this.dueAt = performance.now() + core.settings.idleMs;
        if (from === dyno) this.bytes += bytes;
      },
      onEnd: () => {
        core.deadlines.delete(this);
        onEnd(this.#isIdle);
      },
    });
  }

  onDue(): void {
    this.#isIdle = true;
    this.#client.destroy();
    this.#dyno.destroy();
  }
}
