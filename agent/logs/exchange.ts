import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Duplex } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogFilter, LogLine } from '../../src/logs/line.ts';
import type { LogPosition } from '../../src/logs/position.ts';
import { isCount, isRecord, parseNumberedLine, toNumberedLine } from '../../src/logs/wire.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { onJsonLines, sendJson } from '../lib/json-lines.ts';
import { isAppId } from './app-id.ts';
import { RING_LINES } from './ring.ts';

/** The mesh service that peers ask each other for lines on. */
export const LOGS_SERVICE = 'logs';
/** A peer that takes longer is named as missing. */
export const ASK_MS_MAX = 1_500;
const REQUEST_BYTES_MAX = 4_096;
// A reply line is one log line, whose control characters JSON may write sixfold.
const REPLY_LINE_BYTES_MAX = 128 * 1024;

/** The last `lines` that pass the filter, or with `after` all lines since then, unfiltered. */
export type LogRequest = {
  readonly app: AppId;
  readonly lines: number;
  readonly filter: LogFilter;
  readonly after: LogPosition | null;
};

/** Lines in order, and how far the answering peer was when it gave them. */
export type LogReply = { readonly lines: readonly LogLine[]; readonly position: LogPosition };

/** Asks one peer. Rejects when it cannot answer completely before `signal` aborts. */
export async function askForLogs(
  mesh: Mesh,
  peer: PeerId,
  request: LogRequest,
  signal: AbortSignal,
): Promise<LogReply> {
  const channel = await mesh.open(peer, LOGS_SERVICE, signal);
  const { promise, resolve, reject } = Promise.withResolvers<LogReply>();
  const onAbort = (): void => void channel.destroy(new Error('The peer did not answer in time'));
  signal.addEventListener('abort', onAbort, { once: true });
  channel.on('error', reject);
  channel.on('close', () => reject(new Error('The answer ended too early')));
  const lines: LogLine[] = [];
  onJsonLines(
    channel,
    (value) => {
      const end = parseEnd(value);
      if (end !== null) return resolve({ lines, position: end });
      const line = parseNumberedLine(value, request.app, peer);
      if (line === null || lines.length === RING_LINES)
        return reject(new Error('The answer is not log lines'));
      lines.push(line);
    },
    REPLY_LINE_BYTES_MAX,
  );
  sendJson(channel, request);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    channel.destroy();
  }
}

/** Answers one request on a channel that another peer opened, and ends it. */
export async function answerLogs(channel: Duplex, answer: (request: LogRequest) => LogReply): Promise<void> {
  const request = await readRequest(channel);
  const { lines, position } = answer(request);
  const rows = lines.map(
    (line) => `${JSON.stringify(toNumberedLine(line))}
`,
  );
  rows.push(`${JSON.stringify({ end: position })}
`);
  await pipeline(Readable.from(rows), channel, { signal: AbortSignal.timeout(ASK_MS_MAX * 2) });
}

function readRequest(channel: Duplex): Promise<LogRequest> {
  const { promise, resolve, reject } = Promise.withResolvers<LogRequest>();
  const timer = setTimeout(() => channel.destroy(new Error('No log request came in time')), ASK_MS_MAX);
  channel.on('error', reject);
  channel.on('close', () => reject(new Error('The channel closed before a log request came')));
  onJsonLines(
    channel,
    (value) => {
      const request = parseRequest(value);
      if (request === null) reject(new PlatformError('bad_request', 'Cannot answer: found no log request'));
      else resolve(request);
    },
    REQUEST_BYTES_MAX,
  );
  return promise.finally(() => clearTimeout(timer));
}

function parseRequest(value: unknown): LogRequest | null {
  if (!isRecord(value)) return null;
  const { app, lines, filter, after } = value;
  if (!isAppId(app) || !isCount(lines)) return null;
  return {
    app,
    lines: Math.min(lines, RING_LINES),
    filter: parseFilter(filter),
    after: parsePosition(after),
  };
}

function parseFilter(value: unknown): LogFilter {
  const { source, process } = isRecord(value) ? value : {};
  return {
    source: source === 'app' || source === 'heroku' ? source : undefined,
    process: typeof process === 'string' ? process : undefined,
  };
}

function parseEnd(value: unknown): LogPosition | null {
  return isRecord(value) && 'end' in value ? parsePosition(value['end']) : null;
}

function parsePosition(value: unknown): LogPosition | null {
  if (!isRecord(value)) return null;
  const { boot, seq } = value;
  return isCount(boot) && isCount(seq) ? { boot, seq } : null;
}
