import { createReadStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { extract, pack, type Header, type Pack } from 'tar-stream';
import { DYNO_UID } from './wrapper.ts';

/** Anything else, like a device, is left out: the Engine unpacks as root. */
const KINDS: readonly unknown[] = ['file', 'directory', 'symlink', 'link'];
/** No set-user-id bits. */
const MODE_MASK = 0o777;
const APP = 'app';

/**
 * Rewrites a `.tar.zst` of `/app` as a tar of `/` that an Engine can unpack: everything is the dyno's own. Nothing is held
 * but one file's chunk at a time.
 */
export function appTar(path: string): Readable {
  const output = pack();
  output.entry({ name: `${APP}/`, type: 'directory', mode: 0o755, uid: DYNO_UID, gid: DYNO_UID });
  const input = extract();
  const fed = pipeline(createReadStream(path), createZstdDecompress(), input);
  // A failure of the input ends the loop over it as well, and is told by the output.
  fed.catch(() => {});
  void rewrite(input, output)
    .then(() => fed)
    .then(
      () => output.finalize(),
      (error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  return Readable.from(output, { objectMode: false });
}

/** Folders at these absolute paths, the dyno's own. */
export function folderTar(paths: readonly string[]): Readable {
  const output = pack();
  for (const path of paths) {
    output.entry({ name: `${path.slice(1)}/`, type: 'directory', mode: 0o755, uid: DYNO_UID, gid: DYNO_UID });
  }
  output.finalize();
  return Readable.from(output, { objectMode: false });
}

async function rewrite(input: ReturnType<typeof extract>, output: Pack): Promise<void> {
  for await (const entry of input) {
    const header = ownHeader(entry.header);
    if (header === null) {
      entry.resume();
      continue;
    }
    const sink = output.entry(header);
    if (header.type === 'file') await pump(entry, sink);
    else entry.resume();
  }
}

/** Streams of this library behave as Node's do; only their types are others. */
async function pump(entry: unknown, sink: unknown): Promise<void> {
  await pipeline(entry as Readable, sink as Writable);
}

function ownHeader(header: Header): Header | null {
  if (!KINDS.includes(header.type)) return null;
  const name = underApp(header.name);
  if (name === APP) return null;
  return {
    ...header,
    name,
    // Its records would say the old name again.
    pax: null,
    mode: header.mode & MODE_MASK,
    uid: DYNO_UID,
    gid: DYNO_UID,
    uname: '',
    gname: '',
    // A hard link names another entry; a symbolic one says what it likes.
    ...(header.type === 'link' ? { linkname: underApp(header.linkname) } : {}),
  };
}

function underApp(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return [APP, ...parts].join('/');
}
