import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runtime } from '../../src/shell/runtime.ts';

/** Which driver ran the dynos of this data folder last; null when none did, or a version that kept no record. */
export async function lastRuntime(dir: string): Promise<Runtime['kind'] | null> {
  try {
    const text = (await readFile(pathIn(dir), 'utf8')).trim();
    return text === 'docker' || text === 'process' ? text : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export async function noteRuntime(dir: string, kind: Runtime['kind']): Promise<void> {
  const path = pathIn(dir);
  await writeFile(`${path}.new`, `${kind}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function pathIn(dir: string): string {
  return join(dir, 'runtime');
}
