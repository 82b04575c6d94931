import { chmod, copyFile, mkdir, open, realpath, symlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import { SOURCE_BYTES_MAX, SOURCE_ENTRIES_MAX } from '../../src/builds/source-limits.ts';
import { TarReader, type TarEntry } from '../../src/builds/tar-entries.ts';
import { gunzipped } from '../lib/gunzipped.ts';

/**
 * Unpacks a `.tar` or `.tar.gz` (told apart by its first bytes) into the empty folder `dir`. Nothing in the archive can
 * reach outside of it: paths stay below it, links are made only after all files, and must end inside.
 * @throws PlatformError `bad_request` for an archive that tries, or is broken; `too_large` for more than 1 GB
 */
export async function unpackSource(
  source: Readable,
  dir: string,
  bytesMax = SOURCE_BYTES_MAX,
): Promise<void> {
  const unpacker = new Unpacker(await realpath(dir), bytesMax);
  const reader = new TarReader();
  try {
    for await (const chunk of await gunzipped(source)) {
      for (const event of reader.push(chunk)) {
        if (event.tag === 'entry') await unpacker.begin(event.entry);
        else if (event.tag === 'data') await unpacker.write(event.chunk);
        else await unpacker.end();
      }
    }
    reader.finish();
    await unpacker.finish();
  } catch (error) {
    throw asPlatformError(error);
  } finally {
    await unpacker.end();
    source.destroy();
  }
}

class Unpacker {
  readonly #root: string;
  readonly #bytesMax: number;
  readonly #files = new Set<string>();
  readonly #links = new Map<string, string>();
  #file: FileHandle | null = null;
  #bytes = 0;
  #entries = 0;

  constructor(root: string, bytesMax: number) {
    this.#root = root;
    this.#bytesMax = bytesMax;
  }

  async begin(entry: TarEntry): Promise<void> {
    await this.end();
    this.#bytes += entry.bytes;
    this.#entries += 1;
    if (this.#bytes > this.#bytesMax || this.#entries > SOURCE_ENTRIES_MAX) {
      throw new PlatformError(
        'too_large',
        `Cannot build this source: unpacked it has more than ${Math.floor(this.#bytesMax / 1024 ** 2)} MiB or ${SOURCE_ENTRIES_MAX} files`,
        { hint: 'Leave large files out of the repository' },
      );
    }
    const path = relativePath(entry.path);
    if (path === '.') return;
    const target = join(this.#root, path);
    await mkdir(entry.type === 'folder' ? target : dirname(target), { recursive: true });
    if (entry.type === 'file') {
      // A later entry of the same name replaces the earlier one's content, as tar does.
      this.#file = await open(target, 'w', 0o644);
      if ((entry.mode & 0o111) !== 0) await this.#file.chmod(0o755);
      this.#files.add(path);
    } else if (entry.type === 'symlink') this.#links.set(path, entry.link);
    else if (entry.type === 'hardlink') await this.#copy(entry, path);
    else if (entry.type === 'other') throw refused(entry.path, 'it is neither file, folder nor link');
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#file?.writeFile(chunk);
  }

  async end(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  /** Links last: until now no path led through one. */
  async finish(): Promise<void> {
    for (const [path, link] of this.#links) {
      const end = posix.normalize(posix.join(posix.dirname(path), link));
      if (posix.isAbsolute(link) || end === '..' || end.startsWith('../'))
        throw refused(path, `it links to "${link}"`);
      await mkdir(dirname(join(this.#root, path)), { recursive: true });
      await symlink(link, join(this.#root, path));
    }
    // A link that goes through another one can end elsewhere than its text says: ask the file system.
    for (const [path, link] of this.#links) {
      const end = await realpath(join(this.#root, path)).catch(() => null);
      if (end !== null && end !== this.#root && !end.startsWith(this.#root + sep))
        throw refused(path, `it links to "${link}"`);
    }
  }

  async #copy(entry: TarEntry, path: string): Promise<void> {
    const from = relativePath(entry.link);
    if (!this.#files.has(from)) throw refused(entry.path, `it links to "${entry.link}"`);
    await copyFile(join(this.#root, from), join(this.#root, path));
    await chmod(join(this.#root, path), (entry.mode & 0o111) !== 0 ? 0o755 : 0o644);
    this.#files.add(path);
  }
}

function relativePath(path: string): string {
  const parts = path.split('/');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0') || path === '')
    throw refused(path, 'it leads out of the app');
  return posix.normalize(path).replace(/\/+$/, '') || '.';
}

function refused(path: string, why: string): PlatformError {
  return new PlatformError(
    'bad_request',
    `Cannot unpack "${path.slice(0, 200)}" of the source archive: ${why}`,
  );
}

function asPlatformError(error: unknown): unknown {
  if (error instanceof PlatformError || !(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC')
    return new PlatformError('disk_full', 'Cannot unpack the source: no space left', { cause: error });
  if (code.startsWith('Z_') || ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'].includes(code)) {
    return new PlatformError('bad_request', `Cannot unpack the source archive: ${error.message}`, {
      cause: error,
    });
  }
  return error;
}
