import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { rendezvousOrder } from '../../src/ledger/home.ts';
import type { AddonResource } from '../../src/platform/addon.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { Acme, urlOf } from '../addons/acme.ts';
import { eventually } from '../helpers/eventually.ts';
import { WAIT_MS, useCluster } from './cluster.ts';
import type { Peer } from './peer.ts';

const TEST_MS = 480_000;
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
let acme: Acme;

beforeAll(async () => {
  acme = await new Acme().start();
});
afterAll(async () => acme?.[Symbol.asyncDispose]());

/** A Request-Id whose add-on is this peer's to speak for, while all live. */
async function requestOf(peer: Peer, path: string): Promise<string> {
  const { email } = await peer.call<{ email: string }>('/account');
  const ids = cluster.peers.map(({ id }) => id as PeerId);
  for (;;) {
    const request = randomUUID();
    const addon = uuidOf('addon', JSON.stringify([email, request, path]));
    if (rendezvousOrder(addon, ids)[0] === peer.id) return request;
  }
}

function create(peer: Peer, path: string, request: string, as: string): Promise<Response> {
  return fetch(`${peer.api}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${ash.token}`,
      'content-type': 'application/json',
      'request-id': request,
    },
    body: JSON.stringify({ plan: 'acme-redis', attachment: { name: as } }),
    signal: AbortSignal.timeout(WAIT_MS),
  });
}

test(
  'an add-on that one peer was asked for is there at all, and its provider reaches any',
  { timeout: TEST_MS },
  async () => {
    await ash.call('/kith/providers', { method: 'POST', body: JSON.stringify(acme.manifest) });
    await ash.kith(['apps:create', 'blog', '--no-remote']);
    await birch.kith(['apps:create', 'shop', '--no-remote']);
    const made = await birch.json<AddonResource>(['addons:create', 'acme-redis', '-a', 'blog']);
    await cedar.kith(['addons:attach', made.name, '--as', 'CACHE', '-a', 'shop']);
    expect(await ash.json(['config', '-a', 'shop'])).toEqual({ CACHE_URL: urlOf(made.id) });
    // The provider speaks to another peer than the one that asked it.
    const asker = cluster.peers.find(
      ({ api }) => acme.resources.get(made.id)?.callback.startsWith(api) === true,
    );
    const other = cluster.peers.find((peer) => peer !== asker) ?? ash;
    const rotated = await other.inStep(async () => {
      const { access_token: token } = await acme.tokensOf(made.id, other.api);
      return fetch(`${other.api}/addons/${made.id}/config`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ config: [{ name: 'REDIS_URL', value: 'redis://rotated' }] }),
      });
    });
    expect(rotated.status).toBe(200);
    for (const [peer, app, name] of [
      [ash, 'blog', 'REDIS_URL'],
      [cedar, 'shop', 'CACHE_URL'],
    ] as const) {
      await eventually(
        async () => {
          expect(await peer.json(['config', '-a', app])).toEqual({ [name]: 'redis://rotated' });
          return true;
        },
        { withinMs: WAIT_MS },
      );
    }
  },
);

test(
  'a peer that dies between its provider and the ledger leaves no orphan',
  { timeout: TEST_MS },
  async () => {
    const path = '/apps/blog/addons';
    const request = await requestOf(birch, path);
    const { promise: dead, resolve: died } = Promise.withResolvers<void>();
    const before = acme.times('POST');
    acme.misbehave = async ({ method }) => {
      // The first to ask is not going to hear the answer.
      if (method === 'POST' && acme.times('POST') === before + 1) await dead;
      return null;
    };
    const lost = create(birch, path, request, 'SECOND').catch((error: unknown) => error);
    await eventually(() => acme.times('POST') > before, { withinMs: WAIT_MS });
    birch.kill();
    died();
    expect(await lost).toBeInstanceOf(Error);
    // The client asks another peer the same, and gets what it was going to get.
    const answer = await create(cedar, path, request, 'SECOND');
    const addon = (await answer.json()) as AddonResource;
    await eventually(
      async () => (await ash.call<AddonResource>(`${path}/${addon.id}`)).state === 'provisioned',
      { withinMs: WAIT_MS },
    );
    expect(acme.names).toHaveLength(2);
    await eventually(
      async () => {
        const all = await ash.call<readonly AddonResource[]>('/addons');
        expect(all.map(({ name }) => name).sort()).toEqual(acme.names);
        const config = await cedar.json<Record<string, string>>(['config', '-a', 'blog']);
        expect(config).toEqual({ REDIS_URL: 'redis://rotated', SECOND_URL: urlOf(addon.id) });
        return true;
      },
      { withinMs: WAIT_MS },
    );
    const releases = await cedar.call<readonly ReleaseResource[]>('/apps/blog/releases');
    expect(releases.filter(({ description }) => description.startsWith('Attach SECOND'))).toHaveLength(1);
  },
);

test(
  'what is destroyed while its provider is away goes once that is back',
  { timeout: TEST_MS },
  async () => {
    acme.misbehave = () => ({ status: 503 });
    await ash.kith(['apps:destroy', 'blog', '--confirm', 'blog']);
    await eventually(() => acme.times('DELETE') > 0, { withinMs: WAIT_MS });
    expect(await cedar.json(['config', '-a', 'shop'])).toEqual({});
    acme.misbehave = () => null;
    // It is asked again after a while that grows up to a minute.
    await eventually(() => acme.names.length === 0, { withinMs: 2 * WAIT_MS });
    await eventually(async () => (await cedar.call<readonly AddonResource[]>('/addons')).length === 0, {
      withinMs: WAIT_MS,
    });
  },
);
