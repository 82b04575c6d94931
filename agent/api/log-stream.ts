import type { ServerResponse } from 'node:http';
import type { PeerId } from '../../src/ids.ts';
import type { LogItem, Logs } from '../../src/shell/logs.ts';
import {
  endEvent,
  gapEvent,
  isAfter,
  laterCursor,
  lineEvent,
  missingEvent,
  parseCursor,
} from '../../src/logs/log-event.ts';
import type { LogCursor } from '../../src/logs/log-event.ts';
import { LOG_LINES_MAX } from '../../src/platform/endpoints/log-sessions.ts';
import { reasonOf } from './open-streams.ts';
import type { LogSession } from './log-sessions.ts';
import { writeAll } from './write-all.ts';

const KEEP_ALIVE_MS = 25_000;

/**
 * Serves a log session as Server-Sent Events until it is over: after the backlog, or for a tail when `closing` aborts or
 * the client leaves, or `ended` does, whose reason is its last line. A client that comes back with `Last-Event-ID` goes on from there.
 */
export async function streamLogs(
  logs: Logs,
  session: LogSession,
  lastEventId: string | undefined,
  response: ServerResponse,
  { closing, ended }: { readonly closing: AbortSignal; readonly ended: AbortSignal },
  peerName: (peer: PeerId) => string,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const signal = AbortSignal.any([closing, ended, left.signal]);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  // Without it the official CLI lingers for 3 s after the end.
  response.write('retry: 10\n\n');
  const keepAlive = setInterval(() => response.write(': ping\n\n'), KEEP_ALIVE_MS);
  try {
    const from = parseCursor(lastEventId);
    const events = session.tail
      ? tailEvents(logs, session, from, signal)
      : backlogEvents(logs, session, from, peerName);
    for await (const event of events) {
      if (signal.aborted) break;
      await writeAll(response, event, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(keepAlive);
    if (ended.aborted) response.write(endEvent(reasonOf(ended).message, nowUs()));
    // A clean end lets a tail reconnect by itself; a reset would end it with an error.
    response.end();
  }
}

async function* backlogEvents(
  logs: Logs,
  { app, lines, filter }: LogSession,
  from: LogCursor | null,
  peerName: (peer: PeerId) => string,
): AsyncIterable<string> {
  const recent = await logs.recent(app, lines, filter);
  let cursor = from;
  for (const line of recent.lines) {
    if (!isAfter(line, from)) continue;
    cursor = laterCursor(cursor, line);
    yield lineEvent(line, cursor);
  }
  for (const peer of recent.missing) yield missingEvent(peerName(peer), nowUs());
}

async function* tailEvents(
  logs: Logs,
  { app, lines, filter }: LogSession,
  from: LogCursor | null,
  signal: AbortSignal,
): AsyncIterable<string> {
  let cursor = from;
  let lastUs = nowUs();
  const items: AsyncIterable<LogItem> = logs.tail(app, from === null ? lines : LOG_LINES_MAX, filter, signal);
  for await (const item of items) {
    if ('gap' in item) {
      yield gapEvent(item.gap.dropped, lastUs, nowUs());
    } else if (isAfter(item.line, from)) {
      cursor = laterCursor(cursor, item.line);
      lastUs = item.line.timeUs;
      yield lineEvent(item.line, cursor);
    }
  }
}

const nowUs = (): number => Date.now() * 1_000;
