/** One message of a batch, as somebody sent it: nothing of it is known to be so. */
export type LogplexMessage = {
  /** Wall ms; null where it cannot be read. */
  readonly timeMs: number | null;
  readonly host: string;
  readonly source: string;
  readonly process: string;
  readonly text: string;
};

const HEAD =
  /^<\d{1,3}>1 (?<time>\S{1,64}) (?<host>\S{1,255}) (?<source>\S{1,255}) (?<process>\S{1,128}) - (?:- )?/;

/**
 * The messages of an `application/logplex-1` body: RFC 5424 frames, each behind its length in bytes, with or without the
 * nil for structured data. Null where a frame is not what it says.
 */
export function parseLogplex(body: Uint8Array): readonly LogplexMessage[] | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const messages: LogplexMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = space === -1 ? '' : bytes.toString('latin1', at, space);
    if (!/^[1-9]\d{0,7}$/.test(length)) return null;
    const end = space + 1 + Number(length);
    if (end > bytes.length) return null;
    const message = parseFrame(bytes.toString('utf8', space + 1, end));
    if (message === null) return null;
    messages.push(message);
    at = end;
  }
  return messages;
}

function parseFrame(frame: string): LogplexMessage | null {
  const match = HEAD.exec(frame);
  if (match === null) return null;
  const { time = '', host = '', source = '', process = '' } = match.groups ?? {};
  const timeMs = Date.parse(time);
  const text = frame.slice(match[0].length).replace(/\n$/, '');
  return { timeMs: Number.isNaN(timeMs) ? null : timeMs, host, source, process, text };
}
