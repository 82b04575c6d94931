import { accessSync, constants } from 'node:fs';
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DYNO_UID } from './wrapper.ts';

/** How far a dyno's log was read: `since` is the Engine's time of the last line counted. */
export type LogPosition = { readonly seq: number; readonly since: string };

export const LOG_START: LogPosition = { seq: 0, since: '' };

/** One a second: more than an agent that dies can have told and not remembered. */
const POSITIONS_MAX = 16;

/**
 * Files of this host that belong to dynos in containers: what each starts with (config vars: closed to everybody else, and
 * in memory where the agent may), and how far its log was read.
 */
export class LaunchFiles {
  readonly #launchDir: string;
  readonly #positionsDir: string;

  private constructor(launchDir: string, positionsDir: string) {
    this.#launchDir = launchDir;
    this.#positionsDir = positionsDir;
  }

  /** @param dir the peer's data folder */
  static async open(dir: string, peer: string): Promise<LaunchFiles> {
    const inMemory = join('/run', `kith-${peer}`);
    const launchDir = isRoot() && canWrite('/run') ? inMemory : join(dir, 'docker', 'launch');
    const positionsDir = join(dir, 'docker', 'positions');
    for (const path of [launchDir, positionsDir]) await mkdir(path, { recursive: true, mode: 0o700 });
    return new LaunchFiles(launchDir, positionsDir);
  }

  /** Where the Engine finds what the dyno's container shows as its launch file. */
  async write(dyno: string, text: string): Promise<string> {
    const path = join(this.#launchDir, dyno);
    // Not root: the folder keeps others out, and the dyno's user must be able to read what it is shown.
    await writeFile(path, text, { mode: isRoot() ? 0o400 : 0o444 });
    if (isRoot()) await chown(path, DYNO_UID, DYNO_UID);
    return path;
  }

  /** The last position from which no line after `toldSeq` is missed; the log's start when there is none. */
  async position(dyno: string, toldSeq: number): Promise<LogPosition> {
    const positions = await this.#positions(dyno);
    return positions.findLast(({ seq }) => seq <= toldSeq) ?? LOG_START;
  }

  async savePosition(dyno: string, position: LogPosition): Promise<void> {
    const path = join(this.#positionsDir, dyno);
    const positions = [...(await this.#positions(dyno)), position].slice(-POSITIONS_MAX);
    await writeFile(`${path}.new`, JSON.stringify(positions), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async remove(dyno: string): Promise<void> {
    const paths = [join(this.#launchDir, dyno), join(this.#positionsDir, dyno)];
    for (const path of paths) await rm(path, { force: true });
  }

  /** What dynos left that are not in the Engine any more. */
  async removeOthers(isKept: (dyno: string) => boolean): Promise<void> {
    const names = await Promise.all([readdir(this.#launchDir), readdir(this.#positionsDir)]);
    const ids = new Set(names.flat().map((name) => name.replace(/\.new$/, '')));
    for (const id of ids) if (!isKept(id)) await this.remove(id);
  }

  async #positions(dyno: string): Promise<readonly LogPosition[]> {
    try {
      return JSON.parse(await readFile(join(this.#positionsDir, dyno), 'utf8')) as readonly LogPosition[];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return [];
      throw error;
    }
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
