import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import { parseDockerignore, type DockerIgnores } from '../../src/builds/dockerignore.ts';
import { readAppFile } from './app-tree.ts';

/** Files have no time of their own here: a push of the same source finds the Engine's cache. */
const EPOCH = new Date(0);

/**
 * A folder of sources as the tar that an Engine builds from, without what its `.dockerignore` names. The Dockerfile always
 * comes along.
 */
export async function buildContext(dir: string, dockerfile: string): Promise<Readable> {
  const text = await readAppFile(dir, '.dockerignore');
  const ignores = text === null ? (): boolean => false : parseDockerignore(text);
  const tar = pack();
  const output = new PassThrough();
  const isLeftOut: DockerIgnores = (path) => path !== dockerfile && ignores(path);
  const written = pipeline(Readable.from(tar, { objectMode: false }), output);
  // The output tells of it.
  written.catch(() => undefined);
  void addFolder(tar, dir, '', isLeftOut).then(
    () => tar.finalize(),
    (error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return output;
}

/** In the order of names: equal folders make equal tars. */
async function addFolder(tar: Pack, root: string, below: string, isLeftOut: DockerIgnores): Promise<void> {
  for (const entry of (await readdir(join(root, below))).sort()) {
    const name = below === '' ? entry : `${below}/${entry}`;
    const path = join(root, name);
    const found = await lstat(path);
    // A rule may take back something below a folder that is left out.
    if (found.isDirectory()) await addFolder(tar, root, name, isLeftOut);
    if (isLeftOut(name)) continue;
    const header = { name, mode: found.mode & 0o777, mtime: EPOCH, uid: 0, gid: 0 };
    if (found.isDirectory()) tar.entry({ ...header, type: 'directory' });
    else if (found.isSymbolicLink())
      tar.entry({ ...header, type: 'symlink', linkname: await readlink(path) });
    else if (found.isFile())
      await pipeline(createReadStream(path), tar.entry({ ...header, size: found.size }));
  }
}
