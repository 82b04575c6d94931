import { createReadStream } from 'node:fs';
import { PlatformError } from '../../src/errors.ts';
import { SOURCE_BYTES_MAX, SOURCE_ENTRIES_MAX } from '../../src/builds/source-limits.ts';
import { TarReader } from '../../src/builds/tar-entries.ts';
import { gunzipped } from '../lib/gunzipped.ts';

const NAME = 'app.json';
const BYTES_MAX = 1024 * 1024;

/**
 * The app.json of a `.tar` or `.tar.gz`: the one at its root, or else in the one folder that everything is in, which is
 * how GitHub makes archives. Null where there is none.
 * @throws PlatformError `bad_request` for what is no tar, `too_large` for more than 1 GB unpacked
 */
export async function readManifest(
  path: string,
  signal: AbortSignal,
  bytesMax = SOURCE_BYTES_MAX,
): Promise<string | null> {
  const found = new Map<number, string>();
  const reader = new TarReader();
  const tops = new Tops();
  let depth: number | null = null;
  let chunks: Uint8Array[] = [];
  let unpacked = 0;
  let entries = 0;
  await eachChunk(path, signal, (chunk) => {
    unpacked += chunk.byteLength;
    if (unpacked > bytesMax || entries > SOURCE_ENTRIES_MAX) throw tooLarge(bytesMax);
    for (const event of reader.push(chunk)) {
      if (event.tag === 'entry') {
        entries += 1;
        const { path: inside, type, bytes } = event.entry;
        tops.add(inside);
        depth = type === 'file' && bytes <= BYTES_MAX ? depthOf(inside) : null;
        chunks = [];
      } else if (event.tag === 'data') {
        // The reader reuses what it is given.
        if (depth !== null) chunks.push(Buffer.from(event.chunk));
      } else if (depth !== null) {
        found.set(depth, Buffer.concat(chunks).toString('utf8'));
        depth = null;
      }
    }
  });
  return found.get(0) ?? (tops.isOne ? found.get(1) : undefined) ?? null;
}

function tooLarge(bytesMax: number): PlatformError {
  const miB = Math.floor(bytesMax / 1024 ** 2);
  return new PlatformError(
    'too_large',
    `Cannot read this source: unpacked it has more than ${miB} MiB or ${SOURCE_ENTRIES_MAX} files`,
    { hint: 'Leave large files out of the repository' },
  );
}

/** Whether all that an archive holds is in one folder. */
class Tops {
  isOne = true;
  #first: string | null = null;

  add(path: string): void {
    const [top] = partsOf(path);
    if (top === undefined) return;
    this.#first ??= top;
    if (top !== this.#first) this.isOne = false;
  }
}

async function eachChunk(path: string, signal: AbortSignal, on: (chunk: Uint8Array) => void): Promise<void> {
  const source = createReadStream(path, { signal });
  try {
    for await (const chunk of await gunzipped(source)) on(chunk);
  } finally {
    source.destroy();
  }
}

/** How many folders it is in; null where it is something else, or deeper down. */
function depthOf(path: string): number | null {
  const parts = partsOf(path);
  return parts.at(-1) === NAME && parts.length <= 2 ? parts.length - 1 : null;
}

function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
