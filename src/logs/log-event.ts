import type { LogLine } from './line.ts';
import { formatLogLine } from './format.ts';

/** How far a client got in an app's merged log: the latest line it was sent, in the order of (time, peer, number). */
export type LogCursor = { readonly timeUs: number; readonly peer: string; readonly seq: number };

// Ids of one cluster's peers differ well before their last 8 characters are used up, and each event carries one.
const PEER_CHARS = 8;

export function parseCursor(text: string | undefined): LogCursor | null {
  const [, timeUs, peer = '', seq] = /^(\d{1,16})-([A-Za-z0-9]{1,8})-(\d{1,15})$/.exec(text ?? '') ?? [];
  return timeUs === undefined ? null : { timeUs: Number(timeUs), peer, seq: Number(seq) };
}

/** Whether a client that got as far as `cursor` has yet to see the line. */
export function isAfter(line: LogLine, cursor: LogCursor | null): boolean {
  return cursor === null || compare(cursorOf(line), cursor) > 0;
}

/** Never goes back: a line that came late does not make those after it be sent again. */
export function laterCursor(cursor: LogCursor | null, line: LogLine): LogCursor {
  return cursor === null || isAfter(line, cursor) ? cursorOf(line) : cursor;
}

/** A line as a Server-Sent Event. */
export function lineEvent(line: LogLine, cursor: LogCursor): string {
  return `id: ${cursor.timeUs}-${cursor.peer}-${cursor.seq}\n${dataOf(formatLogLine(line))}\n\n`;
}

/** What a tail shows where lines were lost, in Heroku's words. */
export function gapEvent(dropped: number, sinceUs: number, nowUs: number): string {
  const since = new Date(sinceUs / 1_000).toISOString();
  const text = `Error L11 (Tail buffer overflow) -> This tail session dropped ${dropped} messages since ${since}.`;
  return notice(text, nowUs);
}

/** Says that a peer's lines are missing from a backlog, rather than let it look complete. */
export function missingEvent(peer: string, nowUs: number): string {
  return notice(`Lines of the peer "${peer}" are missing: it did not answer in time`, nowUs);
}

/** The last of a tail that is ended by us. */
export function endEvent(why: string, nowUs: number): string {
  return notice(why, nowUs);
}

function notice(text: string, timeUs: number): string {
  return `${dataOf(formatLogLine({ timeUs, source: 'heroku', process: 'logplex', text }))}\n\n`;
}

/** A carriage return inside a line (a progress bar's) would end the event's field: what follows is a line of its own. */
function dataOf(text: string): string {
  return text
    .replace(/[\r\n]+$/, '')
    .split(/\r\n|\r|\n/)
    .map((part) => `data: ${part}`)
    .join('\n');
}

function cursorOf(line: LogLine): LogCursor {
  return { timeUs: line.timeUs, peer: line.peer.slice(-PEER_CHARS), seq: line.seq };
}

function compare(a: LogCursor, b: LogCursor): number {
  return a.timeUs - b.timeUs || (a.peer < b.peer ? -1 : Number(a.peer > b.peer)) || a.seq - b.seq;
}
