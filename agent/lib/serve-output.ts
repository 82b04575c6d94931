import type { Duplex, Readable } from 'node:stream';
import { onJsonLines } from './json-lines.ts';

const REQUEST_MS = 5_000;
const REQUEST_BYTES_MAX = 10_000;

/**
 * Answers another peer's request, one line of JSON, with an output as far as it goes. `outputOf` gives null where there is
 * none here: the channel then closes without a word.
 */
export function serveOutput(channel: Duplex, outputOf: (request: unknown) => Readable | null): void {
  channel.on('error', () => channel.destroy());
  const late = setTimeout(() => channel.destroy(), REQUEST_MS);
  channel.once('close', () => clearTimeout(late));
  onJsonLines(
    channel,
    (request) => {
      clearTimeout(late);
      const output = outputOf(request);
      if (output === null) {
        channel.destroy();
        return;
      }
      channel.once('close', () => output.destroy());
      output.on('error', () => channel.destroy());
      output.pipe(channel);
    },
    REQUEST_BYTES_MAX,
  );
}
