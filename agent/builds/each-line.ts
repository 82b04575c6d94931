import type { Readable } from 'node:stream';

// A line longer than this is shown in pieces, so that a build cannot fill the agent's memory with one.
const LINE_BYTES_MAX = 16 * 1024;

/** Calls `onLine` for each line of a stream; resolves when the stream has ended or was destroyed. */
export async function eachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.replace(/\r$/, '').replace(/^.*\r/, ''));
      while (rest.length > LINE_BYTES_MAX) {
        onLine(rest.slice(0, LINE_BYTES_MAX));
        rest = rest.slice(LINE_BYTES_MAX);
      }
    }
  } catch (error) {
    // Closed under us by a kill, or by the patience with pipes that somebody kept open: what came so far is all there is.
    if (!stream.destroyed) throw error;
  }
  if (rest !== '') onLine(rest);
}
