import { pipeline } from 'node:stream/promises';
import { sourceEndpoints } from '../../../src/platform/endpoints/builds.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const sourceRoutes = [
  route(sourceEndpoints.create, create),
  route(sourceEndpoints.put, put),
  route(sourceEndpoints.get, get),
];

// Of a transfer nobody knows how long it takes, only that it moves.
const SILENCE_MS = 60_000;

function create({ api, baseUrl, caller }: ApiRequest): Reply {
  const url = `${baseUrl}/sources/${api.sources.open(caller.user)}`;
  return created({ source_blob: { get_url: url, put_url: url } });
}

async function put(request: ApiRequest): Promise<Reply> {
  const { api, message } = request;
  message.socket.setTimeout(SILENCE_MS, () => message.socket.destroy());
  try {
    await api.sources.put(request.param('secret'), message);
  } finally {
    message.socket.setTimeout(0);
  }
  return ok({});
}

async function get(request: ApiRequest): Promise<null> {
  const archive = request.api.sources.read(request.param('secret'));
  request.response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Cache-Control': 'no-store',
  });
  await pipeline(archive, request.response);
  return null;
}
