import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PASSES_MAX = 20;

/**
 * Files below a folder that hold a text. Servers may be writing there: where a file or folder goes while it
 * is looked at, it may have gone to another name, and all is looked through again.
 */
export function filesWith(dir: string, text: string): readonly string[] {
  for (let pass = 1; ; pass += 1) {
    try {
      return readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => readFileSync(path).includes(text))
        .map((path) => path.slice(dir.length + 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || pass === PASSES_MAX) throw error;
    }
  }
}
