import { constants, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSlugignore } from '../../src/builds/slugignore.ts';

// Procfile and .slugignore are a page of text; a build may have put anything there.
const TEXT_BYTES_MAX = 1024 * 1024;

/**
 * Reads a text file at the root of an app that we do not trust: a link (which could lead to the agent's own secrets),
 * a pipe or a folder counts as missing.
 */
export async function readAppFile(dir: string, name: string): Promise<string | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(dir, name), flags).catch(() => null);
  if (file === null) return null;
  try {
    if (!(await file.stat()).isFile()) return null;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TEXT_BYTES_MAX), 0, TEXT_BYTES_MAX, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Removes git's own files, and what the app's `.slugignore` names. Returns how many entries the latter took. */
export async function pruneSource(dir: string): Promise<number> {
  for (const name of await readdir(dir)) {
    if (name.startsWith('.git')) await rm(join(dir, name), { recursive: true, force: true });
  }
  const text = await readAppFile(dir, '.slugignore');
  if (text === null) return 0;
  const ignores = parseSlugignore(text);
  let removed = 0;
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (ignores(path, entry.isDirectory())) {
        await rm(join(dir, path), { recursive: true, force: true });
        removed += 1;
      } else if (entry.isDirectory()) await walk(path);
    }
  };
  await walk('');
  return removed;
}

/** Archives that GitHub makes have all in one folder: what is in that is the app. */
export async function liftOnlyFolder(dir: string): Promise<void> {
  const [only, ...others] = await readdir(dir, { withFileTypes: true });
  if (only === undefined || others.length > 0 || !only.isDirectory()) return;
  const beside = `${dir}.lifted`;
  await rename(join(dir, only.name), beside);
  await rmdir(dir);
  await rename(beside, dir);
}
