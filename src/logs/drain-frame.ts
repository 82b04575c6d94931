import { formatLogTime } from './format.ts';
import type { LogLine } from './line.ts';

/** One message to a drain: a line of the app, or a notice about its log. */
export type DrainMessage = Pick<LogLine, 'timeUs' | 'source' | 'process' | 'text'>;

export const DRAIN_CONTENT_TYPE = 'application/logplex-1';

// facility * 8 + severity, as Heroku's receivers know them: local7, local3, local0, local5 and syslogd itself.
const OF_DYNO = 23 * 8 + 6;
const OF_API = 16 * 8 + 5;
const OF_ADDON = 16 * 8 + 6;
const OF_ROUTER = 19 * 8 + 6;
const OF_PLATFORM = 5 * 8 + 5;
const OF_NOTICE = 21 * 8 + 4;

/** RFC 5424's PRI of a message, by who wrote it. */
export function priorityOf({ source, process }: Pick<DrainMessage, 'source' | 'process'>): number {
  if (source === 'heroku') {
    if (process === 'router') return OF_ROUTER;
    return process === 'logplex' ? OF_NOTICE : OF_PLATFORM;
  }
  if (process === 'api') return OF_API;
  // Dynos are called `web.1`; add-ons have no number.
  return process.includes('.') ? OF_DYNO : OF_ADDON;
}

/**
 * A message as a TCP receiver takes it: RFC 5424 behind its length in bytes (RFC 6587 octet counting), the drain's token
 * in the place of the host name, no structured data.
 */
export function syslogFrame(message: DrainMessage, token: string): string {
  return counted(`${headOf(message, token)} - - ${message.text}\n`);
}

/** A message in the body of a batch over HTTP: `host` for the host name, and one nil less, as Logplex has it. */
export function batchFrame(message: DrainMessage): string {
  return counted(`${headOf(message, 'host')} - ${message.text}\n`);
}

/** What a drain is told in the place of what did not fit into its buffer. */
export function overflowNotice(dropped: number, sinceUs: number, nowUs: number): DrainMessage {
  const since = formatLogTime(sinceUs);
  const text = `Error L10 (output buffer overflow): ${dropped} messages dropped since ${since}.`;
  return { timeUs: nowUs, source: 'heroku', process: 'logplex', text };
}

/** What the app's log says of a receiver that cannot prove who it is. */
export function certificateText(reason: string, uri: string): string {
  return `Error L14 (certificate validation): error="${reason}" uri="${uri}"`;
}

function headOf(message: DrainMessage, host: string): string {
  const { timeUs, source, process } = message;
  return `<${priorityOf(message)}>1 ${formatLogTime(timeUs)} ${host} ${source} ${process}`;
}

function counted(frame: string): string {
  return `${Buffer.byteLength(frame)} ${frame}`;
}
