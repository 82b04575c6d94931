import type { AppId } from '../../src/ids.ts';
import type { LogLine } from '../../src/logs/line.ts';
import { BATCH_BYTES_MAX, encodeBatch, toWireLine, wireBytes } from '../../src/logs/wire.ts';
import type { Mesh } from '../../src/shell/mesh.ts';

const BATCH_MS = 50;
/** Bounds what a dyno gone wild costs the cluster: about 2 MB/s an app. Watchers see and count what falls away. */
const BATCHES_PER_TICK_MAX = 8;

export function logTopic(app: AppId): string {
  return `kith/logs/${app}`;
}

/** Gossips one app's new lines in batches, while anybody listens. */
export class LogPublisher {
  readonly #mesh: Mesh;
  readonly #topic: string;
  readonly #boot: number;
  #batch: LogLine[] = [];
  #bytes = 0;
  #sentThisTick = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(mesh: Mesh, app: AppId, boot: number) {
    this.#mesh = mesh;
    this.#topic = logTopic(app);
    this.#boot = boot;
  }

  add(line: LogLine): void {
    const bytes = wireBytes(line);
    if (this.#bytes + bytes > BATCH_BYTES_MAX) this.#publish();
    this.#batch.push(line);
    this.#bytes += bytes;
    this.#timer ??= setTimeout(() => this.#tick(), BATCH_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#clear();
  }

  #tick(): void {
    this.#publish();
    this.#sentThisTick = 0;
    this.#timer = null;
  }

  #publish(): void {
    const first = this.#batch[0];
    if (
      first !== undefined &&
      this.#sentThisTick < BATCHES_PER_TICK_MAX &&
      this.#mesh.hasSubscribers(this.#topic)
    ) {
      this.#sentThisTick += 1;
      const lines = this.#batch.map(toWireLine);
      this.#mesh.publish(this.#topic, encodeBatch({ boot: this.#boot, seq: first.seq, lines }));
    }
    this.#clear();
  }

  #clear(): void {
    this.#batch = [];
    this.#bytes = 0;
  }
}
