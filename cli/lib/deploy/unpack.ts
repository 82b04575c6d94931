import { createWriteStream } from 'node:fs';
import { link, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { TarReader, type TarEntry } from '../../../src/builds/tar-entries.ts';
import { PlatformError } from '../../../src/errors.ts';
import { CliError } from '../line/cli-error.ts';
import { fileReason } from '../line/file-error.ts';

/** What was made, and what an archive asked for that is not made here, in words. */
export type Unpacked = {
  readonly files: number;
  readonly bytes: number;
  readonly leftOut: readonly string[];
};

/**
 * Unpacks a tar archive of one file or folder as `target`, which must not exist. The archive comes from a dyno, which
 * may lie: whatever it holds, nothing is written elsewhere, and nothing is left here when it is bad or cut off.
 */
export async function unpackTo(archive: Readable, target: string): Promise<Unpacked> {
  const staging = await makeStaging(target);
  try {
    const unpacker = new Unpacker(staging);
    const reader = new TarReader();
    for await (const chunk of archive) {
      for (const event of reader.push(chunk as Buffer)) {
        if (event.tag === 'entry') await unpacker.begin(event.entry);
        else if (event.tag === 'data') await unpacker.data(event.chunk);
        else await unpacker.end();
      }
    }
    reader.finish();
    await unpacker.finish();
    const [top, ...others] = await readdir(staging);
    if (others.length > 0) throw bad(`it holds ${others.length + 1} things, not one`);
    if (top === undefined) throw bad(unpacker.result.leftOut[0] ?? 'there is nothing in it');
    await rename(join(staging, top), target);
    return unpacker.result;
  } catch (error) {
    if (error instanceof PlatformError) throw bad(error.message.replace(/^.*?: /, ''));
    throw error instanceof CliError ? error : cannotWrite(target, error);
  } finally {
    archive.destroy();
    await rm(staging, { recursive: true, force: true });
  }
}

async function makeStaging(target: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(target), `.${basename(target).slice(0, 100)}-`));
  } catch (error) {
    throw cannotWrite(target, error);
  }
}

/**
 * Makes the entries of an archive below a fresh folder. Links are made last: until then every folder there is a real
 * one, so that no name leads out of it.
 */
class Unpacker {
  readonly #root: string;
  readonly #links: { readonly at: string; readonly to: string }[] = [];
  readonly #leftOut: string[] = [];
  #file: ReturnType<typeof createWriteStream> | null = null;
  #files = 0;
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  get result(): Unpacked {
    return { files: this.#files, bytes: this.#bytes, leftOut: this.#leftOut };
  }

  async begin(entry: TarEntry): Promise<void> {
    const parts = safeParts(entry.path);
    if (parts.length === 0) return;
    const at = join(this.#root, ...parts);
    await mkdir(entry.type === 'folder' ? at : dirname(at), { recursive: true });
    if (entry.type === 'file') {
      // No set-user-id bits, and readable to whoever copied it.
      this.#file = createWriteStream(at, { flags: 'wx', mode: (entry.mode & 0o777) | 0o600 });
      // Whoever writes next, or waits for its end, gets it too.
      this.#file.on('error', () => undefined);
      this.#files += 1;
    } else if (entry.type === 'hardlink') {
      await link(join(this.#root, ...safeParts(entry.link)), at);
      this.#files += 1;
    } else if (entry.type === 'symlink') {
      if (staysInside(parts, entry.link)) this.#links.push({ at, to: entry.link });
      else this.#leftOut.push(`the link ${shown(entry.path)}: it leads out, to ${shown(entry.link)}`);
    } else if (entry.type === 'other') {
      this.#leftOut.push(`${shown(entry.path)}: it is neither a file nor a folder`);
    }
  }

  async data(chunk: Uint8Array): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    this.#bytes += chunk.length;
    // A copy: the reader goes on with the buffer that this chunk is a part of.
    await new Promise<void>((resolve, reject) => {
      file.write(Buffer.from(chunk), (error) => (error == null ? resolve() : reject(error)));
    });
  }

  async end(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file !== null) await finished(file.end());
  }

  async finish(): Promise<void> {
    for (const { at, to } of this.#links) await symlink(to, at);
  }
}

/** The parts of a name in the archive. @throws CliError for one that leads out of it */
function safeParts(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0')) {
    throw bad(`the name ${shown(path)} in it leads out of the copy`);
  }
  return parts;
}

/**
 * Whether a link at `parts` ends up below the archive's own top. Up is only allowed first, where the folders are known
 * to be real: behind a name, which may be a link itself, nobody knows where `..` leads.
 */
export function staysInside(parts: readonly string[], to: string): boolean {
  if (to.startsWith('/') || to === '' || to.includes('\0')) return false;
  const steps = to.split('/').filter((step) => step !== '' && step !== '.');
  const ups = steps.findIndex((step) => step !== '..');
  const upCount = ups === -1 ? steps.length : ups;
  // The first part is the copy itself.
  return upCount <= parts.length - 2 && !steps.slice(upCount).includes('..');
}

/** Names come from the dyno, and may hold what a terminal would obey. */
function shown(path: string): string {
  return JSON.stringify(path);
}

function bad(reason: string): CliError {
  return new CliError(`Cannot use what the dyno sent: ${reason}`, { hint: 'Nothing was kept of it' });
}

function cannotWrite(target: string, cause: unknown): CliError {
  return new CliError(`Cannot copy to "${target}": ${fileReason(cause)}`, {
    hint: 'Nothing was kept of it',
    cause,
  });
}
