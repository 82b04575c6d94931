import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppResource } from '../../src/platform/app.ts';
import type { AuthorizationResource } from '../../src/platform/authorization.ts';
import type { TokenResource } from '../../src/platform/token.ts';
import { eventually } from '../helpers/eventually.ts';
import { WAIT_MS, useCluster } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

type Said = { readonly status: number; readonly body: { readonly id?: string; readonly message?: string } };

/** One call of a peer's API with somebody's token. */
async function ask(peer: Peer, token: string, method: string, path: string, body?: unknown): Promise<Said> {
  const response = await fetch(`${peer.api}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      connection: 'close',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** Waits until each peer answers so: a write is true at once where it was made, and elsewhere when it has come there. */
async function everywhere(status: number, token: string, method: string, path: string, body?: unknown) {
  for (const peer of cluster.peers) {
    await eventually(
      async () => {
        const said = await ask(peer, token, method, path, body);
        if (said.status === status) return true;
        throw new Error(`"${peer.name}" answered ${said.status}, not ${status}: ${said.body.message ?? ''}`);
      },
      { withinMs: WAIT_MS },
    );
  }
}

async function tokenFor(user: string, role: string): Promise<string> {
  const made = await ash.json<TokenResource>(['tokens:create', user, '--role', role]);
  return made.token ?? '';
}

test('what is granted at one peer counts at every other, and so does what is taken back', async () => {
  const eve = await tokenFor('eve@example.com', 'collaborator');
  const app = await ash.json<AppResource>(['apps:create', 'engine', '--no-remote']);
  await everywhere(403, eve, 'GET', '/apps/engine');
  const refused = await ask(birch, eve, 'GET', `/apps/${app.id}`);
  expect(refused.body).toMatchObject({
    id: 'forbidden',
    message: 'You do not have access to the app engine.',
  });

  await birch.kith(['access:add', 'eve@example.com', '-p', 'view', '-a', 'engine']);
  await everywhere(200, eve, 'GET', '/apps/engine');
  await everywhere(403, eve, 'PATCH', '/apps/engine/config-vars', { A: '1' });
  await cedar.kith(['access:update', 'eve@example.com', '-p', 'deploy', '-a', 'engine']);
  await everywhere(200, eve, 'PATCH', '/apps/engine/config-vars', { A: '1' });
  expect(await ash.kith(['access', '-a', 'engine'])).toMatch(/eve@example\.com +collaborator +view, deploy/);
  await ash.kith(['access:remove', 'eve@example.com', '-a', 'engine']);
  await everywhere(403, eve, 'GET', '/apps/engine');
});

test('roles are given and changed at any peer', async () => {
  const bob = await tokenFor('bob@example.com', 'viewer');
  await everywhere(200, bob, 'GET', '/apps');
  await everywhere(403, bob, 'POST', '/apps', { name: 'bobs' });
  await birch.kith(['members:set', 'bob@example.com', '-r', 'member']);
  await eventually(async () => /bob@example\.com +member/.test(await cedar.kith(['members'])), {
    withinMs: WAIT_MS,
  });
  await eventually(async () => (await ask(cedar, bob, 'POST', '/apps', { name: 'bobs' })).status === 201, {
    withinMs: WAIT_MS,
  });
  expect((await ask(ash, bob, 'DELETE', '/apps/engine')).status).toBe(403);
  await cedar.kith(['apps:transfer', 'bob@example.com', '-a', 'engine']);
  await everywhere(200, bob, 'GET', '/apps/engine/config-vars');
  await ash.kith(['members:remove', 'bob@example.com']);
  await everywhere(401, bob, 'GET', '/apps');
});

test('an authorization made at one peer works at all, rotated only as its new text, revoked nowhere', async () => {
  const made = await ask(ash, birch.token, 'POST', '/oauth/authorizations', {
    description: 'CI',
    scope: ['read'],
  });
  const { id, access_token } = made.body as AuthorizationResource;
  const first = access_token?.token ?? '';
  await everywhere(200, first, 'GET', '/apps');
  await everywhere(403, first, 'POST', '/apps', {});
  const path = `/oauth/authorizations/${id}`;
  const rotated = await ask(cedar, birch.token, 'POST', `${path}/actions/regenerate-tokens`);
  const second = (rotated.body as AuthorizationResource).access_token?.token ?? '';
  await everywhere(401, first, 'GET', '/apps');
  await everywhere(200, second, 'GET', '/apps');
  await ask(birch, birch.token, 'DELETE', path);
  await everywhere(401, second, 'GET', '/apps');
});

test('a log tail at one peer ends when its token is revoked at another', async () => {
  const zoe = await tokenFor('zoe@example.com', 'viewer');
  await ash.kith(['apps:create', 'tailed', '--no-remote']);
  await everywhere(200, zoe, 'GET', '/apps/tailed');
  const session = await ask(birch, zoe, 'POST', '/apps/tailed/log-sessions', { tail: true });
  const { logplex_url: url = '' } = session.body as { logplex_url?: string };
  const tail = await fetch(url, { signal: AbortSignal.timeout(2 * WAIT_MS) });
  expect(tail.status).toBe(200);
  await cedar.kith(['members:remove', 'zoe@example.com']);
  expect(await tail.text()).toContain('the token that it was opened with was revoked');
  expect((await fetch(url)).status).toBe(403);
});

test('a push at one peer ends when its token is revoked at another, and what it has begun goes on', async () => {
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const gate = createServer((_, response) => void open.then(() => response.end()));
  gate.listen(0, '127.0.0.1');
  await once(gate, 'listening');
  try {
    const { port } = gate.address() as AddressInfo;
    const yan = await tokenFor('yan@example.com', 'member');
    await everywhere(200, yan, 'GET', '/apps');
    await ask(birch, yan, 'POST', '/apps', { name: 'pushed' });
    const build = `echo early; node -e "fetch('http://127.0.0.1:${port}')"`;
    const repo = await Repo.create(join(cluster.dir, 'pushed'), {
      Procfile: 'worker: sleep 1000',
      'package.json': JSON.stringify({ engines: { node: '24.x' }, scripts: { build } }),
    });
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const seen = (line: string): void => void (/remote: +early/.test(line) && begin());
    const push = repo.startPush(birch, 'pushed', seen, { token: yan });
    await begun;
    await cedar.kith(['members:remove', 'yan@example.com']);
    expect(await push).toMatch(
      /remote: .*the token that it was opened with was revoked. What has begun goes on/,
    );
    resolve();
    await eventually(
      async () => (await ash.json<readonly unknown[]>(['releases', '-a', 'pushed'])).length === 3,
      { withinMs: WAIT_MS },
    );
  } finally {
    gate.close();
    gate.closeAllConnections();
  }
});
