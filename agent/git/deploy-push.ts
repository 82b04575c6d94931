import { randomUUID } from 'node:crypto';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { AppId } from '../../src/ids.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import { PlatformError } from '../../src/errors.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { Builds } from '../../src/shell/builds.ts';
import type { Releases } from '../../src/shell/releases.ts';
import { archiveOf, bundleOf, DEPLOY_REFS, latestPush } from './app-repo.ts';
import { tryGit } from './git-process.ts';
import type { Push, RefUpdate } from './push-hook.ts';

export type DeployParts = {
  readonly repo: string;
  readonly app: App;
  readonly user: UserEmail;
  readonly blobs: Pick<Blobs, 'write'>;
  readonly builds: Pick<Builds, 'run'>;
  readonly releases: Pick<Releases, 'finish'>;
  /** Aborts when the pusher is gone: whatever has begun goes on without. */
  readonly gone: AbortSignal;
  /** The app as it is now. */
  readonly current: (app: AppId) => App | undefined;
};

const NOBODY = /^0+$/;

/**
 * Decides on a push: builds and releases what it moves `main` or `master` to. Refs elsewhere are accepted unbuilt.
 * @param say a line for the pusher
 * @returns whether git may move the refs
 */
export async function deployPush(
  parts: DeployParts,
  push: Push,
  say: (line: string) => void,
): Promise<boolean> {
  const deploys = push.updates.filter(({ ref }) => DEPLOY_REFS.includes(ref));
  const [update] = deploys;
  if (update === undefined) {
    const branch = push.updates[0]?.ref.replace(/^refs\/heads\//, '') ?? '';
    say('Pushed to neither main nor master: nothing was built.');
    say(`To deploy this branch: git push <remote> ${branch}:main`);
    return true;
  }
  const reason =
    deploys.length > 1
      ? 'main and master in one push: which one shall run?'
      : await refusal(parts, update, push);
  if (reason !== null) return reject(say, reason);
  return build(parts, update, push, say);
}

function reject(say: (line: string) => void, reason: string): false {
  say(` !     Push rejected, ${reason}`);
  return false;
}

async function refusal(parts: DeployParts, update: RefUpdate, push: Push): Promise<string | null> {
  if (NOBODY.test(update.new)) return `${update.ref} is what runs and cannot be deleted.`;
  const stands = (await tryGit(parts.repo, ['rev-parse', '--verify', '--quiet', update.ref])) ?? '';
  const isAsSeen = NOBODY.test(update.old) ? stands === '' : stands === update.old;
  if (!isAsSeen) return 'somebody else pushed meanwhile: fetch first, then push again.';
  if ((await tryGit(parts.repo, ['cat-file', '-e', `${update.new}^{commit}`], push.quarantine)) === null)
    return `${update.ref} must point to a commit.`;
  return null;
}

async function build(
  parts: DeployParts,
  update: RefUpdate,
  push: Push,
  say: (line: string) => void,
): Promise<boolean> {
  const { repo, app } = parts;
  const before = latestPush(app)?.source ?? null;
  say('Compressing source files... done.');
  say('Building source:');
  say('');
  if ((await tryGit(repo, ['cat-file', '-e', `${update.new}:.gitmodules`], push.quarantine)) !== null)
    say(' !     Submodules are not fetched: their folders stay empty.');
  // Before the build, so that whatever is released can be pushed on at every peer.
  const bundle = await parts.blobs.write(bundleOf(repo, update.ref, update.new, push.quarantine));
  const outcome = await parts.builds.run(
    {
      app: app.id,
      build: randomUUID(),
      user: parts.user,
      request: null,
      source: archiveOf(repo, update.new, push.quarantine),
      version: update.new,
      bundle: bundle.id,
      refuse: () => {
        const now = parts.current(app.id);
        if (now === undefined || now.destroyed) return 'the app was destroyed meanwhile.';
        if ((latestPush(now)?.source ?? null) === before) return null;
        return 'somebody else pushed meanwhile: fetch first, then push again.';
      },
    },
    (text) => {
      for (const line of text.replace(/\n$/, '').split('\n')) say(line);
    },
  );
  if (outcome.status === 'failed') return false;
  say('Verifying deploy... done.');
  await parts.releases.finish(app.id, outcome.release, parts.user, say, parts.gone);
  return true;
}

/** What a pusher sees of an error. */
export function describeError(error: unknown): string {
  return error instanceof PlatformError
    ? [error.message, error.hint].filter((text) => text !== undefined).join('. ')
    : 'something went wrong on this peer; its log says what.';
}
