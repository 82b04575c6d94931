import { createReadStream } from 'node:fs';
import { blobsInReach } from '../../../src/blobs/reach.ts';
import { PlatformError } from '../../../src/errors.ts';
import type { BlobId } from '../../../src/ids.ts';
import type { App } from '../../../src/ledger/apps/app-types.ts';
import type { SlugRef } from '../../../src/ledger/releases/release-types.ts';
import { isAllowed, isInScope } from '../../../src/platform/access.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { slugEndpoints } from '../../../src/platform/endpoints/slugs.ts';
import { mustFindSlug } from '../../../src/platform/release.ts';
import { slugIdOf, slugResource } from '../../../src/platform/slug.ts';
import type { SlugResource } from '../../../src/platform/slug.ts';
import { STACK_NAME } from '../../../src/platform/stack.ts';
import { CheckedStream, parseChecksum } from '../../lib/checked-stream.ts';
import { created, ok } from '../api.ts';
import type { Api, ApiRequest } from '../api.ts';
import { bodyUntil } from '../body-until.ts';
import { download } from '../download.ts';
import type { Reply } from '../reply.ts';
import { limitBytes } from '../limit-bytes.ts';
import { route } from '../router.ts';
import type { SlugUpload } from '../slug-uploads.ts';

export const slugRoutes = [
  route(slugEndpoints.create, create),
  route(slugEndpoints.info, info),
  route(slugEndpoints.archive, archive),
  route(slugEndpoints.put, put),
];

const BYTES_MAX = 500 * 1024 ** 2;
/** On other peers. */
const COPIES = 2;
const REPLICATE_MS = 3 * 60_000;
const FETCH_MS = 3 * 60_000;
// Of a transfer nobody knows how long it takes, only that it moves.
const SILENCE_MS = 60_000;

function create(request: ApiRequest, body: BodyOf<typeof slugEndpoints.create>): Reply {
  const app = request.app();
  if (body.stack != null && body.stack !== STACK_NAME) {
    throw new PlatformError('invalid_params', `Cannot run a slug of the stack "${body.stack}"`, {
      hint: `The stack here is "${STACK_NAME}"`,
    });
  }
  const upload: SlugUpload = {
    id: request.freshId('slug'),
    app: app.id,
    user: request.context.user,
    grant: request.grant('deploy'),
    processTypes: body.process_types,
    commit: body.commit ?? null,
    checksum: body.checksum == null ? null : parseChecksum(body.checksum),
    buildpack: body.buildpack_provided_description ?? null,
    at: Date.now(),
  };
  return created(announced(request, upload, request.api.slugUploads.open(upload)));
}

/** The archive becomes a slug of ours, on this peer and two others, before the ledger hears of it. */
async function put(request: ApiRequest): Promise<Reply> {
  const { api, message } = request;
  const upload = api.slugUploads.mustFind(request.param('secret'));
  using watch = api.openStreams.watch(upload.grant);
  watch.signal.throwIfAborted();
  const bytes = new CheckedStream('slug', upload.checksum);
  message.socket.setTimeout(SILENCE_MS, () => message.socket.destroy());
  let packed;
  try {
    const source = bodyUntil(watch.signal, message).compose(limitBytes('slug', BYTES_MAX)).compose(bytes);
    packed = await api.builds.pack(source, api.closing);
  } finally {
    message.socket.setTimeout(0);
  }
  const { id, processTypes, commit, buildpack, app, user } = upload;
  const about = { stack: STACK_NAME, processTypes, commit, buildpack, source: null, upload: id };
  const slug: SlugRef = { ...packed, ...about };
  try {
    await replicate(api, packed.id);
    watch.signal.throwIfAborted();
    const checksum = `SHA256:${bytes.sha256 ?? ''}`;
    await api.host.command({ type: 'slug.create', app, slug, checksum }, { user, request: null });
  } catch (error) {
    if (!blobsInReach(api.host.view()).has(packed.id)) await api.blobs.remove(packed.id);
    throw error;
  }
  return ok({});
}

function info(request: ApiRequest): Reply {
  const app = request.app();
  const id = request.param('slug').toLowerCase();
  // Whoever knows its URL says what the slug will be.
  const maySend =
    isAllowed(request.caller, 'deploy', app) && isInScope(request.caller.scopes, slugEndpoints.create);
  const waiting = app.uploads.has(id) || !maySend ? null : request.api.slugUploads.find(id);
  if (waiting !== null && waiting.upload.app === app.id)
    return ok(announced(request, waiting.upload, waiting.secret));
  return ok(sent(request, app, mustFindSlug(app, id)));
}

/** In our own format: a `.tar.zst` of the app's files; what it has in common with other slugs is not among them. */
async function archive(request: ApiRequest): Promise<null> {
  const { api } = request;
  const { id } = mustFindSlug(request.app(), request.param('slug'));
  using watch = api.openStreams.watch(request.grant('deploy'));
  await api.blobs.fetch(id, others(api), AbortSignal.timeout(FETCH_MS));
  const file = createReadStream(api.blobs.path(id));
  await download(request, file, { what: 'slug', type: 'application/zstd', ended: watch.signal });
  return null;
}

function announced({ baseUrl }: ApiRequest, upload: SlugUpload, secret: string): SlugResource {
  const { id, processTypes, commit, checksum, buildpack, at } = upload;
  return slugResource({
    id,
    url: `${baseUrl}/slugs/${secret}`,
    processTypes,
    stack: STACK_NAME,
    commit,
    checksum: checksum === null ? null : `SHA256:${checksum}`,
    bytes: null,
    buildpack,
    at,
  });
}

function sent({ baseUrl }: ApiRequest, app: App, slug: SlugRef): SlugResource {
  const id = slugIdOf(slug);
  const upload = app.uploads.get(id);
  const first = [...app.releases.values()]
    .filter((release) => release.slug?.id === slug.id)
    .sort((a, b) => a.number - b.number)[0];
  const { processTypes, stack, commit, bytes, buildpack } = slug;
  return slugResource({
    id,
    url: `${baseUrl}/apps/${app.id}/slugs/${id}/archive`,
    processTypes,
    stack,
    commit,
    checksum: upload?.checksum ?? `SHA256:${slug.id}`,
    bytes,
    buildpack,
    at: upload?.hlc.ms ?? first?.createdAt ?? app.createdAt,
  });
}

async function replicate(api: Api, id: BlobId): Promise<void> {
  await api.blobs.replicate(id, others(api), COPIES, AbortSignal.timeout(REPLICATE_MS));
}

function others({ host }: Api) {
  return host
    .peers()
    .filter(({ peer, verdict }) => peer !== host.self && verdict === 'alive')
    .map(({ peer }) => peer);
}
