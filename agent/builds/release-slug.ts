import { PlatformError } from '../../src/errors.ts';
import type { BlobId, PeerId, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { releaseCommandOf } from '../../src/ledger/releases/release-status.ts';
import type { SlugRef } from '../../src/ledger/releases/release-types.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { BuildRequest } from '../../src/shell/builds.ts';
import type { PeerHost } from '../../src/shell/host.ts';

export type ReleaseParts = {
  readonly host: Pick<PeerHost, 'view' | 'command'>;
  readonly blobs: Blobs;
  readonly peersForReplication: () => readonly PeerId[];
  readonly webUrl: (app: App) => string;
};

// In all, this peer's included.
const COPIES = 3;
const REPLICATE_MS = 3 * 60_000;

/**
 * Copies the slug, its layers and its source to other peers, and only then releases it: whoever has to run it finds it
 * somewhere even if this host dies now. Peers that hold a layer already say so at once.
 */
export async function releaseSlug(
  parts: ReleaseParts,
  slug: SlugRef,
  request: BuildRequest,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<ReleaseId> {
  print('-----> Launching...');
  const within = AbortSignal.any([signal, AbortSignal.timeout(REPLICATE_MS)]);
  const layers = (slug.layers ?? []).map(({ id }) => id);
  const blobs = [...layers, slug.id, ...(slug.source === null ? [] : [slug.source])];
  const copies = 1 + Math.min(...(await Promise.all(blobs.map((id) => replicate(parts, id, within)))));
  signal.throwIfAborted();
  if (copies > 1) print(`       ${copies} peers hold the slug`);
  else print(' !     Only this peer holds the slug: no other took a copy');
  const refused = request.refuse?.() ?? null;
  if (refused !== null) throw new PlatformError('conflict', refused);
  const ops = await parts.host.command(
    { type: 'release.deploy', app: request.app, slug, description: describe(request) },
    { user: request.user, request: request.request },
  );
  const app = parts.host.view().apps.get(request.app);
  const release =
    [...(app?.releases.values() ?? [])].find(({ op }) => ops.includes(op)) ??
    (app?.current ? app.releases.get(app.current) : undefined);
  if (app === undefined || release === undefined)
    throw new PlatformError('internal', 'The release cannot be found');
  if (release.status === 'pending') {
    print(
      releaseCommandOf(slug) === null
        ? ' !     An earlier release still runs its release command: this one waits for it.'
        : ' !     Release command declared: this new release will not be available until the command succeeds.',
    );
  }
  print(`       Released ${release.label}`);
  print(`       ${parts.webUrl(app)} deployed to Kith`);
  print('');
  return release.id;
}

async function replicate(parts: ReleaseParts, id: BlobId, signal: AbortSignal): Promise<number> {
  return (await parts.blobs.replicate(id, parts.peersForReplication(), COPIES - 1, signal)).length;
}

function describe(request: BuildRequest): string {
  return request.version === null ? 'Deploy' : `Deploy ${request.version.slice(0, 8)}`;
}
