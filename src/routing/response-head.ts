import { parseFraming } from './body-length.ts';
import { parseHeaderLines } from './header-lines.ts';
import { rejected, RESPONSE_LIMITS, type BodyLength, type Header, type Rejection } from './http-syntax.ts';

export type ResponseHead = {
  readonly tag: 'response';
  readonly status: number;
  readonly reason: string;
  readonly minor: 0 | 1;
  readonly headers: readonly Header[];
  readonly body: BodyLength;
  readonly connection: readonly string[];
};

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2}) (.*)$/;

/**
 * @param text the head as latin1, from its first line to the empty line that ends it
 * @param method of the request it answers: a HEAD has no body whatever the headers say
 */
export function parseResponseHead(text: string, method: string): ResponseHead | Rejection {
  const lines = parseHeaderLines(text, RESPONSE_LIMITS);
  if ('tag' in lines) return lines;
  const line = STATUS_LINE.exec(lines.first);
  if (line === null) return rejected(503, 'a bad status line');
  const minor = line[1] === '1' ? 1 : 0;
  const status = Number(line[2]);
  const framing = parseFraming(lines.headers, minor);
  if ('tag' in framing) return framing;
  return {
    tag: 'response',
    status,
    reason: line[3] ?? '',
    minor,
    headers: lines.headers,
    body: hasNoBody(status, method) ? 0 : (framing.body ?? 'close'),
    connection: framing.connection,
  };
}

/** RFC 9112 6.3: these end with their head. */
export function hasNoBody(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || method === 'HEAD';
}
