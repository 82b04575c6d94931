import type { Logger } from 'pino';
import { parseDrainUrl, type DrainTarget } from '../../src/drain-url.ts';
import type { AppId } from '../../src/ids.ts';
import { certificateText } from '../../src/logs/drain-frame.ts';
import type { DrainCursor } from '../../src/logs/drain-cursor.ts';
import type { Logs } from '../../src/shell/logs.ts';
import { DrainQueue } from './drain-queue.ts';
import { sendByHttp } from './http-sender.ts';
import type { Patience, SenderParts } from './sender.ts';
import { sendBySyslog } from './syslog-sender.ts';

/** Each failed attempt would say so anew: the app's log is told this often. */
const CERTIFICATE_LINE_MS = 600_000;

export type CarriedDrain = {
  readonly app: AppId;
  /** In clear. */
  readonly url: string;
  readonly token: string;
  /** Wall ms: lines of before are not its. */
  readonly createdAt: number;
};

export type CarrierParts = {
  readonly logs: Logs;
  /** Where to begin; it moves on as messages arrive. */
  readonly cursor: DrainCursor;
  readonly log: Logger;
} & Patience;

/** Takes an app's lines to one receiver until `signal` aborts. Resolves when nothing is under way any more. */
export async function carryDrain(
  drain: CarriedDrain,
  parts: CarrierParts,
  signal: AbortSignal,
): Promise<void> {
  const { logs, cursor, log, answerMs, finishMs } = parts;
  const target = parseDrainUrl(drain.url);
  const queue = new DrainQueue(cursor);
  const { app, token } = drain;
  let saidAt = -Infinity;
  const onBadCertificate = (reason: string): void => {
    if (performance.now() - saidAt < CERTIFICATE_LINE_MS) return;
    saidAt = performance.now();
    logs.append({
      app,
      source: 'heroku',
      process: 'logplex',
      text: certificateText(reason, placeOf(target)),
    });
  };
  // Either of the two ends the other, should it fail.
  const over = new AbortController();
  const within = AbortSignal.any([signal, over.signal]);
  const end = (): void => over.abort();
  await Promise.all([
    fill(queue, drain, parts, within).finally(end),
    send(target, { queue, token, onBadCertificate, answerMs, finishMs, log }, within).finally(end),
  ]);
}

async function fill(
  queue: DrainQueue,
  { app, createdAt }: CarriedDrain,
  { logs, cursor }: CarrierParts,
  signal: AbortSignal,
): Promise<void> {
  const from = new Map(cursor.positions);
  for await (const item of logs.follow(app, from, createdAt * 1_000, signal)) {
    if ('gap' in item) queue.lose(item.gap.dropped);
    else await queue.add(item, signal);
  }
}

async function send(target: DrainTarget, parts: SenderParts, signal: AbortSignal): Promise<void> {
  if (target.via === 'syslog') await sendBySyslog(target, parts, signal);
  else await sendByHttp(target, parts, signal);
}

/** The receiver, without anything secret. */
function placeOf(target: DrainTarget): string {
  if (target.via === 'http') return new URL(target.url).origin;
  return `syslog+tls://${target.host}:${target.port}/`;
}
