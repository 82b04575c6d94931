import { expect, test } from 'vitest';
import { peerIdOf } from '../../src/ledger/signing.ts';
import { at, startApi } from './harness.ts';

const ADMIN = { user: 'ann@example.com', request: null };
const OTHER = peerIdOf(new Uint8Array(32).fill(7));

test('the cluster is shown with its authority and members', async () => {
  await using api = await startApi();
  const { body } = await api.call('GET', '/kith/cluster');
  expect(body).toMatchObject({
    name: 'attic',
    ca_cert: 'CA',
    self: { id: api.host.self },
    members: [{ id: api.host.self }],
  });
  const before = (body as { writes: number }).writes;
  expect(before).toBe(api.host.view().known);
  api.host.write({ type: 'member.admit', peer: OTHER, invite: null, name: 'cellar' }, ADMIN);
  const after = await api.call('GET', '/kith/cluster');
  expect((after.body as { writes: number }).writes).toBeGreaterThan(before);
});

test('peers are shown by name and by part of their id, removed by request, and not the one that is asked', async () => {
  await using api = await startApi();
  api.host.announce();
  api.host.write({ type: 'member.admit', peer: OTHER, invite: null, name: 'cellar' }, ADMIN);
  const { body } = await api.call('GET', '/kith/peers');
  expect(body).toMatchObject([
    {
      name: 'attic',
      self: true,
      state: 'alive',
      memory_mib: 4_096,
      dynos: 0,
      addresses: { api: '127.0.0.1:1' },
    },
    { name: 'cellar', self: false, state: 'unknown', version: null },
  ]);
  for (const name of ['cellar', OTHER, OTHER.slice(-6)]) {
    expect((await api.call('GET', `/kith/peers/${name}`)).body).toMatchObject({ id: OTHER });
  }
  expect((await api.call('DELETE', '/kith/peers/~')).status).toBe(422);
  expect((await api.call('DELETE', '/kith/peers/cellar')).body).toMatchObject({ id: OTHER });
  expect((await api.call('GET', '/kith/peers')).body).toHaveLength(1);
  expect((await api.call('GET', '/kith/peers/cellar')).body).toMatchObject({ resource: 'peer' });
});

test('this peer is drained and taken back, no other from here', async () => {
  await using api = await startApi();
  api.host.announce();
  api.host.write({ type: 'member.admit', peer: OTHER, invite: null, name: 'cellar' }, ADMIN);
  expect((await api.call('PATCH', '/kith/peers/~', { draining: true })).body).toMatchObject({
    draining: true,
  });
  expect((await api.call('PATCH', '/kith/peers/attic', { draining: false })).body).toMatchObject({
    draining: false,
  });
  expect(api.host.drains).toEqual([true, false]);
  expect((await api.call('PATCH', '/kith/peers/cellar', { draining: true })).status).toBe(422);
});

test('garbage is collected at the peer that is asked', async () => {
  await using api = await startApi();
  const collected = await api.call('POST', '/kith/collections');
  expect(collected).toMatchObject({ status: 201, body: { removed_blobs: 2, kept_bytes: 1024 ** 2 } });
});

test('an invitation lasts an hour unless said otherwise, and a week at most', async () => {
  await using api = await startApi();
  const made = await api.call('POST', '/kith/invites');
  expect([made.status, at(made.body, 'token')]).toEqual([201, 'kith1.invitation']);
  await api.call('POST', '/kith/invites', { ttl_seconds: 60 });
  expect(api.host.invites).toEqual([3_600_000, 60_000]);
  expect((await api.call('POST', '/kith/invites', { ttl_seconds: 604_801 })).status).toBe(422);
});

test('joining answers with the cluster', async () => {
  await using api = await startApi();
  const { status, body } = await api.call('POST', '/kith/join', { token: 'kith1.abc' });
  expect([status, at(body, 'name')]).toEqual([200, 'attic']);
  expect(api.host.joins).toEqual(['kith1.abc']);
});

test('the doctor has nothing to say of a healthy cluster', async () => {
  await using api = await startApi();
  api.host.announce();
  expect((await api.call('GET', '/kith/doctor')).body).toEqual({ problems: [], quarantined: [], waiting: 0 });
});
