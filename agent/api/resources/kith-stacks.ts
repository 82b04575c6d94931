import { blobsInReach } from '../../../src/blobs/reach.ts';
import { PlatformError } from '../../../src/errors.ts';
import type { BlobId } from '../../../src/ids.ts';
import { stacksResource } from '../../../src/platform/kith-stack.ts';
import { STACK_IMAGE } from '../../../src/platform/stack.ts';
import type { LocalStack } from '../../../src/shell/stack.ts';
import { stackEndpoints } from '../../../src/platform/endpoints/kith-stacks.ts';
import { created, ok } from '../api.ts';
import type { Api, ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { limitBytes } from '../limit-bytes.ts';
import { route } from '../router.ts';

export const stackRoutes = [
  route(stackEndpoints.list, async (request) => ok(await resource(request))),
  route(stackEndpoints.put, put),
];

/** Stands for "whichever the file is for". */
const ANY_ARCH = 'auto';
const BYTES_MAX = 4 * 1024 ** 3;
/** On other peers. */
const COPIES = 2;
const REPLICATE_MS = 30 * 60_000;
// Of a transfer nobody knows how long it takes, only that it moves.
const SILENCE_MS = 60_000;

/** Takes a `.tar.zst` of a root file system as its architecture's stack from now on. */
async function put(request: ApiRequest): Promise<Reply> {
  const { api, message } = request;
  message.socket.setTimeout(SILENCE_MS, () => message.socket.destroy());
  try {
    const { id, bytes } = await api.blobs.write(message.compose(limitBytes('stack', BYTES_MAX)));
    try {
      const arch = await mustFit(api.stack, api.blobs.path(id), request.param('arch'));
      await request.command({ type: 'stack.set', name: STACK_IMAGE, arch, blob: id, bytes });
    } catch (error) {
      if (!blobsInReach(api.host.view()).has(id)) await api.blobs.remove(id);
      throw error;
    }
    api.tasks.run('replicate stack', () => replicate(api, id));
  } finally {
    message.socket.setTimeout(0);
  }
  return created(await resource(request));
}

async function mustFit(stack: LocalStack, path: string, asked: string): Promise<string> {
  const arch = await stack.inspect(path);
  if (asked === ANY_ARCH || asked === arch) return arch;
  throw new PlatformError(
    'invalid_params',
    `Cannot take this file as the stack of ${asked}: it is for ${arch}`,
  );
}

/** So that the stack outlives the peer that it was given to. */
async function replicate({ host, blobs }: Api, id: BlobId): Promise<void> {
  const others = host.peers().filter(({ peer, verdict }) => peer !== host.self && verdict === 'alive');
  if (others.length === 0) return;
  const to = others.map(({ peer }) => peer);
  await blobs.replicate(id, to, COPIES, AbortSignal.timeout(REPLICATE_MS));
}

async function resource({ api: { host, stack } }: ApiRequest) {
  return stacksResource(host.view(), host.peers(), await stack.status());
}
