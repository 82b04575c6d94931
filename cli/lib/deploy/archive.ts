import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../line/cli-error.ts';
import { git } from './git.ts';
import type { World } from '../line/world.ts';

const TAR_MS_MAX = 10 * 60_000;

/**
 * Packs a folder into a `.tar.gz` with the system's tar. In a git work tree that is what git would see: tracked and new
 * files, without what is ignored; elsewhere everything except `.git`.
 */
export async function packFolder(world: World, folder: string, target: string): Promise<void> {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new CliError(`Cannot build "${folder}": there is no such folder`, {
      hint: 'Name one with --source',
    });
  }
  const listed = await git(
    { ...world, cwd: folder },
    'ls-files',
    '-z',
    '--cached',
    '--others',
    '--exclude-standard',
  );
  if (listed === null) {
    await tar(['-czf', target, '--exclude=.git', '-C', folder, '.'], '');
    return;
  }
  // What was deleted but not yet committed is in the index and not in the folder.
  const files = [...new Set(listed.split('\0'))].filter(
    (file) => file !== '' && existsSync(join(folder, file)),
  );
  if (files.length === 0) throw new CliError(`Cannot build "${folder}": it holds no files`);
  await tar(['-czf', target, '-C', folder, '--null', '-T', '-'], files.join('\0'));
}

function tar(args: readonly string[], input: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn('tar', args, { stdio: ['pipe', 'ignore', 'pipe'], timeout: TAR_MS_MAX });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said = `${said}${data.toString('utf8')}`.slice(-2_000);
  });
  child.on('error', (cause) => reject(new CliError('Cannot run tar to pack the sources', { cause })));
  // tar that ends early closes its stdin on us; its exit says why.
  child.stdin.on('error', () => undefined);
  child.on('close', (status) => {
    if (status === 0) resolve();
    else reject(new CliError(`tar could not pack the sources: ${said.trim() || `status ${status}`}`));
  });
  child.stdin.end(input);
  return promise;
}
