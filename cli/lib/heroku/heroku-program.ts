import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { CliError } from '../line/cli-error.ts';
import type { World } from '../line/world.ts';

/** The official CLI: the first of PATH, else the one that a checkout of Kith brings for its tests. */
export function findHeroku({ env }: World): string {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const own = resolve(import.meta.dirname, '../../../node_modules/.bin');
  const found = [...folders, own].map((folder) => join(folder, 'heroku')).find(isProgram);
  if (found !== undefined) return found;
  throw new CliError('The official Heroku CLI is not installed', {
    hint: 'Install it with `npm install --global heroku`; most of what it does, `kith` does too',
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run: the next folder may have it.
    return false;
  }
}
