import type { Duplex } from 'node:stream';

/** One JSON record a line: how the agent talks to its keeper and its router over their Unix sockets. */
export function sendJson(stream: Duplex, value: unknown): boolean {
  return stream.write(`${JSON.stringify(value)}\n`);
}

/**
 * Calls `handler` with each record. A line that is no JSON, or longer than `lineBytesMax`, ends the stream with an
 * error: both ends are ours, so only a bug or a torn write makes one.
 */
export function onJsonLines(
  stream: Duplex,
  handler: (value: unknown) => void,
  lineBytesMax = 64 * 1024 * 1024,
): void {
  let chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (data: Buffer) => {
    let rest = data;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      const line = Buffer.concat([...chunks, rest.subarray(0, end)]).toString('utf8');
      chunks = [];
      bytes = 0;
      rest = rest.subarray(end + 1);
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        // Neither the line nor the parser's words, which quote it: what these streams carry may be secret.
        stream.destroy(new Error(`Expected a JSON line, found ${line.length} characters of something else`));
        return;
      }
      handler(value);
    }
    if (rest.length === 0) return;
    chunks.push(rest);
    bytes += rest.length;
    if (bytes > lineBytesMax) stream.destroy(new Error(`A JSON line grew past ${lineBytesMax} bytes`));
  });
}
