import { mkdir, readFile, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What buildpacks may use of this host beside its system folders: the agent's own Node and the npm found with it. */
export type HostTools = {
  /** Folder to put first on PATH; holds links only. */
  readonly bin: string;
  /** Files and folders that the links lead to. */
  readonly targets: readonly string[];
};

/** Makes `dir/bin` with `node` (the one that runs the agent) and, where this host has npm, `npm` and `npx`. */
export async function makeHostTools(dir: string, searchPath: string): Promise<HostTools> {
  const bin = join(dir, 'bin');
  await mkdir(bin, { recursive: true, mode: 0o755 });
  const node = await realpath(process.execPath);
  await symlink(node, join(bin, 'node'));
  const npm = await findNpm(node, searchPath);
  if (npm === null) return { bin, targets: [node] };
  await symlink(join(npm, 'bin', 'npm-cli.js'), join(bin, 'npm'));
  await symlink(join(npm, 'bin', 'npx-cli.js'), join(bin, 'npx'));
  return { bin, targets: [node, npm] };
}

/** The folder of the npm package: behind an `npm` on the path, or beside the Node that runs us. */
async function findNpm(node: string, searchPath: string): Promise<string | null> {
  const links = searchPath.split(':').map((folder) => join(folder, 'npm'));
  const beside = join(dirname(node), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  for (const candidate of [...links, beside]) {
    try {
      const root = dirname(dirname(await realpath(candidate)));
      const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
      if (typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'npm')
        return root;
    } catch {
      // Not here, or a wrapper script of some version manager: look on.
      continue;
    }
  }
  return null;
}
