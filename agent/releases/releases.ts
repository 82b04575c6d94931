import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, BlobId, PeerId, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { Finished, Releases } from '../../src/shell/releases.ts';
import { sendJson } from '../lib/json-lines.ts';
import { serveOutput } from '../lib/serve-output.ts';
import { isFirstDeploy, runPostdeploy } from './postdeploy.ts';
import { LinePrinter } from './print-lines.ts';
import type { ReleaseRunner } from './release-runner.ts';

const SERVICE = 'release-output';
const OPEN_MS = 5_000;
const FETCH_MS = 20_000;
const LOOK_MS = 50;

const UNFINISHED: Finished = { isReleased: false, postdeploy: null };

export type ReleasesParts = {
  readonly host: () => PeerHost;
  readonly runner: ReleaseRunner;
  readonly mesh: Pick<Mesh, 'open' | 'serve'>;
  readonly blobs: Blobs;
  readonly holders: (blob: BlobId) => readonly PeerId[];
  readonly log: Logger;
};

/** Serves what runs here to other peers, and gives the release phases of all of them. */
export function openReleases(parts: ReleasesParts): Releases {
  parts.mesh.serve(SERVICE, (channel) =>
    serveOutput(channel, (request) => parts.runner.output(String(Object(request)['release']) as ReleaseId)),
  );
  return {
    output: (app, release, signal) => outputOf(parts, app, release, signal),
    async finish(app, release, user, print, signal) {
      try {
        if (!(await finishRelease(parts, app, release, print, signal))) return UNFINISHED;
        const found = mustFind(parts, app, release);
        const postdeploy = isFirstDeploy(found.app, found.release)
          ? await runPostdeploy(parts.host(), found, user, print, signal)
          : null;
        return { isReleased: true, postdeploy };
      } catch (error) {
        if (signal.aborted) return UNFINISHED;
        if (!(error instanceof PlatformError)) throw error;
        print?.(` !     ${error.message}`);
        return UNFINISHED;
      }
    },
  };
}

/** @returns whether the release may run */
async function finishRelease(
  parts: ReleasesParts,
  appId: AppId,
  releaseId: ReleaseId,
  print: ((line: string) => void) | null,
  signal: AbortSignal,
): Promise<boolean> {
  const find = (): { app: App; release: Release } => mustFind(parts, appId, releaseId);
  if (find().release.status === 'succeeded') return true;
  if (print === null) {
    while (find().release.status === 'pending') await sleep(LOOK_MS * 4, undefined, { signal });
    return find().release.status === 'succeeded';
  }
  const isQueued = (): boolean => {
    const { app, release } = find();
    return release.parents.some((id) => app.releases.get(id)?.status === 'pending');
  };
  if (isQueued()) {
    print('Waiting for the release before this one...');
    while (isQueued()) await sleep(LOOK_MS, undefined, { signal });
  }
  print('Running release command...');
  print('');
  const output = new LinePrinter(print);
  for await (const chunk of outputOf(parts, appId, releaseId, signal)) output.write(chunk);
  output.end();
  print('');
  const { release } = find();
  if (release.status === 'succeeded') {
    print('Waiting for release.... done.');
    return true;
  }
  print(' !     Release command failed, this version of the app has not been deployed');
  if (release.settled?.reason) print(` !     ${capitalised(release.settled.reason)}`);
  print(` !     See what it wrote: kith releases:output ${release.label}`);
  return false;
}

/** From the peer that runs the command, one after the other where several do; from the blob when it has ended. */
async function* outputOf(
  parts: ReleasesParts,
  app: AppId,
  id: ReleaseId,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let shown: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const { release } = mustFind(parts, app, id);
    if (release.status !== 'pending') {
      if (shown === null && release.settled?.output) yield* stored(parts, release.settled.output);
      return;
    }
    const attempt = release.attempts.at(-1);
    if (attempt === undefined || attempt.id === shown) {
      await sleep(LOOK_MS, undefined, { signal });
      continue;
    }
    const live = await openLive(parts, attempt.peer, id);
    if (live === null) {
      await sleep(LOOK_MS * 4, undefined, { signal });
      continue;
    }
    if (shown !== null) yield Buffer.from('(The peer that ran it went away: another one runs it again.)\n');
    shown = attempt.id;
    const stop = (): void => void live.destroy();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for await (const chunk of live) yield chunk as Uint8Array;
    } catch (err) {
      signal.throwIfAborted();
      parts.log.info({ app, peer: attempt.peer, err }, 'release output broke off');
    } finally {
      signal.removeEventListener('abort', stop);
      live.destroy();
    }
  }
}

async function openLive(
  { host, runner, mesh }: ReleasesParts,
  peer: PeerId,
  release: ReleaseId,
): Promise<Readable | null> {
  if (peer === host().self) return runner.output(release);
  try {
    const channel = await mesh.open(peer, SERVICE, AbortSignal.timeout(OPEN_MS));
    sendJson(channel, { release });
    return channel;
  } catch {
    // It may have ended meanwhile, or be on its way out: the ledger will tell.
    return null;
  }
}

async function* stored({ blobs, holders }: ReleasesParts, blob: BlobId): AsyncGenerator<Uint8Array> {
  try {
    await blobs.fetch(blob, holders(blob), AbortSignal.timeout(FETCH_MS));
  } catch (cause) {
    throw new PlatformError('unavailable', 'No peer that is reachable now holds the output of this release', {
      cause,
    });
  }
  for await (const chunk of createReadStream(blobs.path(blob))) yield chunk as Uint8Array;
}

function mustFind({ host }: ReleasesParts, appId: AppId, id: ReleaseId): { app: App; release: Release } {
  const app = host().view().apps.get(appId);
  const release = app?.releases.get(id);
  if (app === undefined || app.destroyed || release === undefined) {
    throw new PlatformError('not_found', "Couldn't find that release.", { resource: 'release' });
  }
  return { app, release };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
