import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../../../src/errors.ts';
import type { PeerId } from '../../../src/ids.ts';
import { visibleApps } from '../../../src/platform/access.ts';
import { mustFindPeer, peerResources } from '../../../src/platform/peer.ts';
import { collectionResource } from '../../../src/platform/collection.ts';
import type { PeerResource } from '../../../src/platform/peer.ts';
import type { BodyOf } from '../../../src/platform/endpoint.ts';
import { peerEndpoints } from '../../../src/platform/endpoints/kith-peers.ts';
import { created, ok } from '../api.ts';
import type { ApiRequest } from '../api.ts';
import type { Reply } from '../reply.ts';
import { route } from '../router.ts';

export const peerRoutes = [
  route(peerEndpoints.list, (request) => {
    const peers = peersOf(request).map((peer) => withVisible(request, peer));
    return request.list(peers, ['name', 'id']);
  }),
  route(peerEndpoints.info, (request) => ok(withVisible(request, mustFind(request)))),
  route(peerEndpoints.remove, remove),
  route(peerEndpoints.update, drain),
  route(peerEndpoints.collect, collect),
];

// Handing dynos over can take minutes; a client would take so long a silence for a dead connection.
const DRAIN_ANSWER_MS = 2_000;

/** The peer, without what it holds of apps that the asker must not know of. */
function withVisible(request: ApiRequest, peer: PeerResource): PeerResource {
  const names = new Set<string>(visibleApps(request.view(), request.caller).map(({ name }) => name));
  return { ...peer, volumes: peer.volumes.filter(({ app }) => names.has(app)) };
}

/** With `force`, even if volumes are there alone. */
async function remove(request: ApiRequest, { force }: BodyOf<typeof peerEndpoints.remove>): Promise<Reply> {
  const peer = mustFind(request);
  if (peer.self && peersOf(request).length > 1) {
    throw new PlatformError('invalid_params', `Cannot remove "${peer.name}": it is the peer that you ask`, {
      hint: 'Ask another peer to remove it',
    });
  }
  await request.command({ type: 'member.remove', peer: peer.id as PeerId, force });
  return ok(peer);
}

/** Begins or ends the drain of this peer. The reply is 202 while dynos are still being handed over: `dynos` counts them. */
async function drain(request: ApiRequest, { draining }: BodyOf<typeof peerEndpoints.update>): Promise<Reply> {
  const peer = mustFind(request);
  if (!peer.self) {
    throw new PlatformError('invalid_params', `Cannot drain "${peer.name}": a peer drains only itself`, {
      hint: `Ask that peer${peer.addresses.api === null ? '' : ` at ${peer.addresses.api}`}`,
    });
  }
  const { api } = request;
  const drained = api.host.drain(draining);
  api.tasks.run('drain', () => drained);
  const late = new AbortController();
  const status = await Promise.race([
    drained.then(() => 200),
    sleep(DRAIN_ANSWER_MS, 202, { signal: late.signal, ref: false }),
  ]);
  late.abort();
  return { status, body: { ...mustFind(request), draining } };
}

/** Frees the disk of the peer that is asked. */
async function collect({ api: { host } }: ApiRequest): Promise<Reply> {
  return created(collectionResource(await host.collect()));
}

function mustFind(request: ApiRequest): PeerResource {
  return mustFindPeer(peersOf(request), request.param('peer'));
}

function peersOf({ api: { host } }: ApiRequest): readonly PeerResource[] {
  return peerResources(host.view(), host.peers(), host.self);
}
