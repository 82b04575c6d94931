import type { LogLine } from './line.ts';

/** `2026-01-02T03:04:07.123456+00:00`: how Heroku writes the time of a line. */
export function formatLogTime(timeUs: number): string {
  const ms = Math.floor(timeUs / 1_000);
  const micros = String(timeUs - ms * 1_000).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${micros}+00:00`;
}

/** `TIME source[process]: text`, without line end. */
export function formatLogLine(line: Pick<LogLine, 'timeUs' | 'source' | 'process' | 'text'>): string {
  return `${formatLogTime(line.timeUs)} ${line.source}[${line.process}]: ${line.text}`;
}
