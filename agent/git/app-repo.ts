import { createReadStream } from 'node:fs';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import type { BlobId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import { exitStatus, mustGit, spawnGit, tryGit, type Quarantine } from './git-process.ts';

/** The branches that are built when they are pushed. */
export const DEPLOY_REFS: readonly string[] = ['refs/heads/main', 'refs/heads/master'];

// Whatever the pushed tree's .gitattributes say, a build gets all of its files as they are.
const ATTRIBUTES = '* -export-ignore -export-subst\n';

/**
 * Makes the app's bare repository where it is missing; a torn one cannot be, as it appears by a rename. Not for two
 * callers at once.
 */
export async function ensureRepo(path: string): Promise<void> {
  try {
    await access(path);
    return;
  } catch {
    // First contact with this app.
  }
  const draft = `${path}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await mustGit(draft, ['init', '--quiet', '--bare', '--initial-branch=main', draft]);
  await mkdir(join(draft, 'info'), { recursive: true });
  await writeFile(join(draft, 'info', 'attributes'), ATTRIBUTES);
  await rename(draft, path);
}

/** The newest release that a push made: its commit is where the app's branch stands, rollbacks notwithstanding. */
export function latestPush(app: App): { readonly commit: string; readonly source: BlobId } | null {
  let latest: Release | null = null;
  for (const release of app.releases.values()) {
    if (release.cause !== 'deploy' || release.slug?.source === null || release.slug?.commit === null)
      continue;
    if (latest === null || isLater(release, latest)) latest = release;
  }
  const { commit = null, source = null } = latest?.slug ?? {};
  return commit === null || source === null ? null : { commit, source };
}

function isLater(a: Release, b: Release): boolean {
  if (a.number !== b.number) return a.number > b.number;
  if (a.hlc.ms !== b.hlc.ms) return a.hlc.ms > b.hlc.ms;
  return a.hlc.n === b.hlc.n ? a.id > b.id : a.hlc.n > b.hlc.n;
}

/**
 * Brings the repository to where the latest push, at whichever peer, left the app's branch. Needs the bundle only when
 * the branch stands elsewhere.
 * @param fetch gets the bundle to this peer
 */
export async function refreshRepo(
  repo: string,
  app: App,
  blobs: Pick<Blobs, 'path'>,
  fetch: (bundle: BlobId) => Promise<void>,
): Promise<void> {
  const latest = latestPush(app);
  if (latest === null) return;
  const heads = (await mustGit(repo, ['for-each-ref', '--format=%(objectname)', ...DEPLOY_REFS])).split('\n');
  if (heads.includes(latest.commit)) return;
  await fetch(latest.source);
  const bundle = blobs.path(latest.source);
  const ref = await bundledRef(bundle);
  if (ref === null) throw new PlatformError('internal', `Blob "${latest.source}" is no bundle of a branch`);
  if ((await tryGit(repo, ['cat-file', '-e', `${latest.commit}^{commit}`])) === null) {
    await mustGit(repo, ['bundle', 'unbundle', bundle]);
  }
  await mustGit(repo, ['update-ref', ref, latest.commit]);
  await mustGit(repo, ['symbolic-ref', 'HEAD', ref]);
}

/** The one ref that our bundles name, in their second line: `<commit> refs/heads/main`. */
async function bundledRef(path: string): Promise<string | null> {
  const input = createReadStream(path, { end: 1024 });
  try {
    let count = 0;
    for await (const line of createInterface({ input })) {
      count += 1;
      if (count === 1) continue;
      const ref = line.split(' ')[1];
      return ref !== undefined && DEPLOY_REFS.includes(ref) ? ref : null;
    }
    return null;
  } finally {
    input.destroy();
  }
}

/**
 * The branch's whole history as a git bundle, made of quarantined objects before the push is accepted; hence not by
 * `git bundle`, which wants a ref. The format is a header before a pack.
 * @see https://git-scm.com/docs/gitformat-bundle
 */
export function bundleOf(repo: string, ref: string, commit: string, quarantine: Quarantine): Readable {
  const header = `# v2 git bundle\n${commit} ${ref}\n\n`;
  const args = ['pack-objects', '--revs', '--stdout', '--quiet', '--threads=1'];
  return outputOf(repo, args, quarantine, { header, input: `${commit}\n` });
}

/** The commit's tree as a tar stream. */
export function archiveOf(repo: string, commit: string, quarantine: Quarantine): Readable {
  return outputOf(repo, ['archive', '--format=tar', commit], quarantine);
}

/**
 * What git prints, as a stream that breaks when git fails. Git starts with the first read: Node throws away the output
 * of a process that ends before anybody listens.
 */
function outputOf(
  repo: string,
  args: readonly string[],
  quarantine: Quarantine,
  { header = '', input = '' } = {},
): Readable {
  const run = async function* (): AsyncGenerator<Buffer> {
    if (header !== '') yield Buffer.from(header);
    const git = spawnGit(repo, args, { quarantine, stdio: ['pipe', 'pipe', 'ignore'] });
    const status = exitStatus(git);
    try {
      git.stdin?.on('error', () => undefined).end(input);
      if (git.stdout !== null) yield* git.stdout;
      if ((await status) !== 0)
        throw new PlatformError('internal', `git ${args[0] ?? ''} failed in "${repo}"`);
    } finally {
      git.kill('SIGKILL');
    }
  };
  return Readable.from(run(), { objectMode: false });
}
