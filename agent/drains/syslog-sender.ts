import { setTimeout as sleep } from 'node:timers/promises';
import { drainDelayMs } from '../../src/logs/drain-back-off.ts';
import type { DrainBatch } from '../../src/logs/drain-buffer.ts';
import { syslogFrame } from '../../src/logs/drain-frame.ts';
import { pause } from '../lib/pause.ts';
import { certificateProblem } from './certificates.ts';
import { FINISH_MS, type SenderParts } from './sender.ts';
import { SyslogConnection, type SyslogTarget } from './syslog-connection.ts';

const BATCH_MESSAGES_MAX = 128;
const BATCH_BYTES_MAX = 64 * 1024;
/** A receiver that dies resets its connections at once: what was written before that is taken to have been read. */
const SETTLE_MS = 1_000;
const UNSETTLED_MESSAGES_MAX = 16_384;
/** A connection that nobody uses is closed, before something in between forgets it. */
const IDLE_MS = 240_000;

/** Sends a drain's messages over TCP or TLS until `signal` aborts; whatever goes wrong, it connects again. */
export async function sendBySyslog(
  target: SyslogTarget,
  parts: SenderParts,
  signal: AbortSignal,
): Promise<void> {
  const { queue, log } = parts;
  for (let failures = 0; !signal.aborted;) {
    // Nobody is bothered before there is something to say.
    await queue.filled(signal);
    if (signal.aborted) return;
    const stream = new Stream(target, parts);
    try {
      await stream.run(signal);
      failures = 0;
    } catch (err) {
      if (signal.aborted) return;
      failures = stream.hasSettled ? 1 : failures + 1;
      queue.setReceiverUp(false);
      const reason = certificateProblem(err);
      if (reason !== null) parts.onBadCertificate(reason);
      const retryMs = drainDelayMs(failures, Math.random());
      log.info(
        { host: target.host, port: target.port, failures, retryMs, err },
        'drain receiver not reached',
      );
      await pause(retryMs, signal);
    }
  }
}

/** One connection's life, and what was written to it and may not have arrived. */
class Stream {
  hasSettled = false;
  readonly #target: SyslogTarget;
  readonly #parts: SenderParts;
  readonly #unsettled: { readonly batch: DrainBatch; readonly at: number }[] = [];

  constructor(target: SyslogTarget, parts: SenderParts) {
    this.#target = target;
    this.#parts = parts;
  }

  /** Resolves when the connection was of no more use, and nothing is in doubt. Rejects when it broke. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, finishMs = FINISH_MS } = this.#parts;
    using connection = await SyslogConnection.open(this.#target, () => queue.wake(), signal);
    try {
      while (!signal.aborted && !connection.isOver) {
        this.#settle(performance.now() - SETTLE_MS);
        if (queue.isEmpty || this.#doubtful() > UNSETTLED_MESSAGES_MAX) {
          if (!(await this.#rest(connection, signal))) break;
        } else {
          await this.#send(connection);
        }
      }
      // One that hangs up on whoever calls must not be called again at once.
      if (connection.isOver && (this.#unsettled.length > 0 || !this.hasSettled)) throw connection.gone();
      if (await connection.end(finishMs)) this.#settle(Infinity);
    } finally {
      for (const { batch } of this.#unsettled.splice(0).reverse()) queue.putBack(batch);
    }
  }

  async #send(connection: SyslogConnection): Promise<void> {
    const { queue, token } = this.#parts;
    const batch = queue.take(BATCH_MESSAGES_MAX, BATCH_BYTES_MAX);
    this.#unsettled.push({ batch, at: performance.now() });
    await connection.write(batch.messages.map((message) => syslogFrame(message, token)).join(''));
    queue.setReceiverUp(true);
  }

  /** Waits for something to do. @returns whether the connection is still wanted */
  async #rest(connection: SyslogConnection, signal: AbortSignal): Promise<boolean> {
    const { queue } = this.#parts;
    if (this.#unsettled.length === 0) {
      await queue.filled(signal, IDLE_MS, () => connection.isOver);
      return !queue.isEmpty;
    }
    if (queue.isEmpty) await queue.filled(signal, SETTLE_MS, () => connection.isOver);
    else await sleep(SETTLE_MS / 10);
    return true;
  }

  #settle(until: number): void {
    for (let [first] = this.#unsettled; first !== undefined && first.at <= until; [first] = this.#unsettled) {
      this.#unsettled.shift();
      this.#parts.queue.settle(first.batch);
      this.hasSettled = true;
    }
  }

  #doubtful(): number {
    return this.#unsettled.reduce((sum, { batch }) => sum + batch.messages.length, 0);
  }
}
