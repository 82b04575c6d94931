import { sourceEndpoints } from '../../../src/platform/endpoints/builds.ts';
import { entryOf } from '../../../src/platform/grant.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import { bodyUntil } from '../body-until.ts';
import { download } from '../download.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const sourceRoutes = [
  route(sourceEndpoints.create, create),
  route(sourceEndpoints.put, put),
  route(sourceEndpoints.get, get),
];

// Of a transfer nobody knows how long it takes, only that it moves.
const SILENCE_MS = 60_000;

function create(request: ApiRequest): Reply {
  const { api, baseUrl, caller } = request;
  const url = `${baseUrl}/sources/${api.sources.open(caller.user, entryOf(request.view(), caller))}`;
  return created({ source_blob: { get_url: url, put_url: url } });
}

async function put(request: ApiRequest): Promise<Reply> {
  const { api, message } = request;
  const secret = request.param('secret');
  using watch = api.openStreams.watch(api.sources.entryOf(secret));
  message.socket.setTimeout(SILENCE_MS, () => message.socket.destroy());
  try {
    await api.sources.put(secret, bodyUntil(watch.signal, message));
  } finally {
    message.socket.setTimeout(0);
  }
  return ok({});
}

/** A build at another peer may be reading it: what has begun goes on. */
async function get(request: ApiRequest): Promise<null> {
  const archive = request.api.sources.read(request.param('secret'));
  await download(request, archive, { what: 'source', type: 'application/octet-stream' });
  return null;
}
