import { lchown, lstat, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '../../src/errors.ts';
import type { Layer } from './layer-store.ts';
import { runInSandbox } from './run-in-sandbox.ts';
import type { Sandbox, ShownFolder } from './sandbox.ts';

export type LayerPlace = {
  readonly workDir: string;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
};

const COPY = 'rm -rf "$2" && mkdir -p "$(dirname "$2")" && cp -R --reflink=auto "$1" "$2"';

/**
 * Makes layers visible to the build, in its `app/`: with bubblewrap and in containers as read-only mounts, which the next command is to get;
 * without it as copies that belong to the build, since to share files with one that could change them would be to share
 * them with every app. Neither becomes part of the app's own slug.
 * @throws PlatformError `build_failed` when something else is in the way
 */
export async function showLayers(
  layers: readonly Layer[],
  { workDir, sandbox, signal }: LayerPlace,
): Promise<readonly ShownFolder[]> {
  const appDir = join(workDir, 'app');
  const places = layers.map(({ path, tree }) => ({ from: tree, at: join(appDir, path) }));
  if (sandbox.kind !== 'none') {
    await makePlaces(layers, appDir, sandbox);
    return places;
  }
  for (const { from, at } of places) {
    const env = { PATH: '/usr/bin:/bin' };
    const command = { script: COPY, args: [from, at], env, writable: [appDir], readable: [from], shown: [] };
    const { status } = await runInSandbox(sandbox, command, () => undefined, signal);
    if (status !== 0) throw new PlatformError('internal', `Cannot copy a layer to "${at}"`);
  }
  return [];
}

/**
 * Has a folder where each layer goes. To be asked before each mount and before packing, while nothing of the build runs: a
 * link that the build put there could lead the mount anywhere, and could not be unpacked over the layer.
 */
export async function makePlaces(layers: readonly Layer[], appDir: string, { uid }: Sandbox): Promise<void> {
  for (const name of layers.flatMap(({ path }) => [dirname(path), path])) {
    const at = join(appDir, name);
    const found = await lstat(at).catch(() => null);
    if (found === null) {
      await mkdir(at, { mode: 0o755 });
      if (uid !== null) await lchown(at, uid, uid);
    } else if (!found.isDirectory()) {
      throw new PlatformError('build_failed', `Cannot use "${name}" of the app: it is no folder`, {
        hint: 'Leave .kith out of the repository',
      });
    }
  }
}
