import { randomUUID } from 'node:crypto';
import type { DrainTarget } from '../../src/drain-url.ts';
import { drainDelayMs } from '../../src/logs/drain-back-off.ts';
import type { DrainBatch } from '../../src/logs/drain-buffer.ts';
import { DRAIN_CONTENT_TYPE, batchFrame } from '../../src/logs/drain-frame.ts';
import { pause } from '../lib/pause.ts';
import { VERSION } from '../lib/version.ts';
import { certificateProblem } from './certificates.ts';
import { HttpPoster } from './http-poster.ts';
import { FINISH_MS, type SenderParts } from './sender.ts';

export type HttpTarget = Extract<DrainTarget, { readonly via: 'http' }>;

const BATCH_MESSAGES_MAX = 1_024;
// What Logplex aims at.
const BATCH_BYTES_MAX = 100 * 1024;
/** Lines that come together go together. */
const LINGER_MS = 200;
const ANSWER_MS = 10_000;
/** Two minutes or so, as the waits between them double. */
const ATTEMPTS_MAX = 8;

/** What became of a batch. */
type Outcome = 'done' | 'refused' | 'again';

/** Sends a drain's messages in batches over HTTP until `signal` aborts. */
export async function sendByHttp(target: HttpTarget, parts: SenderParts, signal: AbortSignal): Promise<void> {
  using poster = new HttpPoster(target.url);
  const { queue } = parts;
  const sender = new HttpSender(target, parts, poster);
  while (!signal.aborted) {
    await queue.filled(signal);
    await pause(LINGER_MS, signal);
    if (!signal.aborted) await sender.deliver(queue.take(BATCH_MESSAGES_MAX, BATCH_BYTES_MAX), signal);
  }
}

class HttpSender {
  readonly #target: HttpTarget;
  readonly #parts: SenderParts;
  readonly #poster: HttpPoster;
  /** In a row, over all batches: a receiver that is down is not asked more often for there being more to say. */
  #failures = 0;

  constructor(target: HttpTarget, parts: SenderParts, poster: HttpPoster) {
    this.#target = target;
    this.#parts = parts;
    this.#poster = poster;
  }

  /** Tries until the batch has arrived, is refused, or has been tried often enough. */
  async deliver(batch: DrainBatch, signal: AbortSignal): Promise<void> {
    const { queue } = this.#parts;
    // The same at each try, by which a receiver knows a batch that it has already.
    const frame = randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#try(batch, frame, signal);
      queue.setReceiverUp(outcome !== 'again');
      if (outcome !== 'again') break;
      this.#failures += 1;
      if (attempt === ATTEMPTS_MAX) {
        queue.lose(batch.lines.length + batch.dropped);
        break;
      }
      const waitMs = drainDelayMs(this.#failures, Math.random());
      await pause(waitMs, signal);
      // The next carrier sends it.
      if (signal.aborted) return queue.putBack(batch);
    }
    queue.settle(batch);
  }

  async #try(batch: DrainBatch, frame: string, signal: AbortSignal): Promise<Outcome> {
    const { token, log, onBadCertificate, answerMs = ANSWER_MS, finishMs = FINISH_MS } = this.#parts;
    const { url, authorization } = this.#target;
    const { hostname: host } = new URL(url);
    const body = batch.messages.map(batchFrame).join('');
    const headers = {
      'Content-Type': DRAIN_CONTENT_TYPE,
      'Content-Length': Buffer.byteLength(body),
      'Logplex-Msg-Count': batch.messages.length,
      'Logplex-Frame-Id': frame,
      'Logplex-Drain-Token': token,
      'User-Agent': `Logplex/kith-${VERSION}`,
      ...(authorization === null ? {} : { Authorization: authorization }),
    };
    using within = deadline(signal, answerMs, finishMs);
    try {
      const status = await this.#poster.post(body, headers, within.signal);
      const outcome = outcomeOf(status);
      if (outcome !== 'again') this.#failures = 0;
      if (outcome !== 'done')
        log.info({ host, status, messages: batch.messages.length }, 'drain receiver did not take a batch');
      return outcome;
    } catch (err) {
      const reason = certificateProblem(err);
      if (reason !== null) onBadCertificate(reason);
      log.info({ host, failures: this.#failures, err }, 'drain receiver not reached');
      return 'again';
    }
  }
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'done';
  return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'again';
}

/** A request has its time; one that is under way when the sender is told to end has a moment. */
function deadline(
  signal: AbortSignal,
  answerMs: number,
  finishMs: number,
): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController();
  const end = (): void => over.abort(new Error('The receiver did not answer in time'));
  let timer = setTimeout(end, answerMs).unref();
  const hurry = (): void => {
    clearTimeout(timer);
    timer = setTimeout(end, finishMs).unref();
  };
  signal.addEventListener('abort', hurry, { once: true });
  if (signal.aborted) hurry();
  return {
    signal: over.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal.removeEventListener('abort', hurry);
    },
  };
}
