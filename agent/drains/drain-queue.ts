import {
  DRAIN_MESSAGES_MAX,
  DrainBuffer,
  type DrainBatch,
  type DrainLine,
} from '../../src/logs/drain-buffer.ts';
import type { DrainCursor } from '../../src/logs/drain-cursor.ts';

/** One drain's buffer between the log that fills it and the sender that empties it: either waits for the other. */
export class DrainQueue {
  readonly #buffer: DrainBuffer;
  readonly #waiters = new Set<() => void>();
  #isReceiverUp = true;

  constructor(cursor: DrainCursor) {
    this.#buffer = new DrainBuffer(cursor);
  }

  get isEmpty(): boolean {
    return this.#buffer.isEmpty;
  }

  /**
   * Adds a line. While the receiver takes what it is sent, this waits for room: what the peers' rings hold then gets
   * through whole. While it does not, the oldest goes.
   */
  async add(line: DrainLine, signal: AbortSignal): Promise<void> {
    const hasRoom = (): boolean => this.#buffer.size < DRAIN_MESSAGES_MAX || !this.#isReceiverUp;
    if (!hasRoom()) await this.#until(hasRoom, signal);
    if (signal.aborted) return; // It was not sent, and the next carrier begins with it.
    this.#buffer.push(line);
    this.wake();
  }

  lose(count: number): void {
    this.#buffer.lose(count, nowUs());
    this.wake();
  }

  /** Resolves once there is something to send, or as soon as `isOver` says that nobody will; at the latest after `withinMs`. */
  filled(signal: AbortSignal, withinMs = Infinity, isOver: () => boolean = () => false): Promise<void> {
    return this.#until(() => !this.isEmpty || isOver(), signal, withinMs);
  }

  take(countMax: number, bytesMax: number): DrainBatch {
    return this.#buffer.take(countMax, bytesMax, nowUs());
  }

  settle(batch: DrainBatch): void {
    this.#buffer.settle(batch);
  }

  putBack(batch: DrainBatch): void {
    this.#buffer.putBack(batch, nowUs());
    this.wake();
  }

  /** Whether the last thing that the receiver was sent got through to it, as far as one can tell. */
  setReceiverUp(isUp: boolean): void {
    this.#isReceiverUp = isUp;
    this.wake();
  }

  /** Has those who wait look again. */
  wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  async #until(isSo: () => boolean, signal: AbortSignal, withinMs = Infinity): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!isSo() && !signal.aborted && performance.now() < deadline) {
      await this.#woken(signal, deadline - performance.now());
    }
  }

  #woken(signal: AbortSignal, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = withinMs === Infinity ? null : setTimeout(() => wake(), Math.max(1, withinMs)).unref();
      const wake = (): void => {
        if (timer !== null) clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function nowUs(): number {
  return Date.now() * 1_000;
}
