import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Paths of what one dyno has on disk: all of it goes when the dyno is forgotten. */
export type DynoFiles = {
  readonly dir: string;
  /** Its own copy of the slug. */ readonly app: string;
  readonly tmp: string;
  /** passwd, group and hosts for its /etc. */ readonly etc: string;
  readonly outPath: string;
  readonly inPath: string;
};

export function dynoFiles(dir: string): DynoFiles {
  const at = (name: string): string => join(dir, name);
  return {
    dir,
    app: at('app'),
    tmp: at('tmp'),
    etc: at('etc'),
    outPath: at('out'),
    inPath: at('in'),
  };
}

/**
 * Makes all but `app`'s content, and `app` too when `fillApp` is absent.
 * @param fillApp makes the `app` folder
 */
export async function makeDynoFiles(
  files: DynoFiles,
  options: { hostname: string; uid: number | null; fillApp?: (dest: string) => Promise<void> },
): Promise<void> {
  const { hostname, uid, fillApp } = options;
  await mkdir(files.dir, { recursive: true, mode: 0o711 });
  await Promise.all([
    mkdir(files.tmp, { mode: 0o700 }),
    writeEtc(files.etc, hostname, uid ?? process.getuid?.() ?? 0),
    makeFifos([files.outPath, files.inPath], uid),
    fillApp === undefined ? mkdir(files.app) : fillApp(files.app),
  ]);
  await chmod(files.app, 0o700);
  if (uid === null) return;
  await chown(files.tmp, uid, uid);
  await run('chown', ['-hR', `${uid}:${uid}`, files.app]);
}

/** For the stdio of `uid`: whoever opens /dev/stdout opens its FIFO anew. */
export async function makeFifos(paths: readonly string[], uid: number | null): Promise<void> {
  await run('mkfifo', ['-m', '600', ...paths]);
  if (uid !== null) await Promise.all(paths.map((path) => chown(path, uid, uid)));
}

export async function removeDynoFiles(files: DynoFiles): Promise<void> {
  await rm(files.dir, { recursive: true, force: true, maxRetries: 3 });
}

/** Enough for programs that ask who and where they are. */
async function writeEtc(dir: string, hostname: string, uid: number): Promise<void> {
  await mkdir(dir, { mode: 0o755 });
  const hosts = await readFile('/etc/hosts', 'utf8').catch(() => '127.0.0.1 localhost\n::1 localhost\n');
  const root = 'root:x:0:0:root:/:/usr/sbin/nologin\n';
  const passwd = `${uid === 0 ? '' : root}dyno:x:${uid}:${uid}:dyno:/app:/bin/bash\n`;
  const group = `${uid === 0 ? '' : 'root:x:0:\n'}dyno:x:${uid}:\n`;
  await Promise.all([
    writeFile(join(dir, 'passwd'), passwd, { mode: 0o644 }),
    writeFile(join(dir, 'group'), group, { mode: 0o644 }),
    writeFile(join(dir, 'hosts'), `${hosts}\n127.0.0.1 ${hostname}\n`, { mode: 0o644 }),
  ]);
}
