import { expect, test } from 'vitest';
import type { AddonId, CertId, OpId, PeerId, ProcessType, SlotKey, VolumeId } from '../../src/ids.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import type { Member } from '../../src/ledger/cluster/cluster-types.ts';
import type { View } from '../../src/ledger/view.ts';
import type { Volume } from '../../src/ledger/volumes/volume-types.ts';
import { clusterResource } from '../../src/platform/cluster.ts';
import { doctorResource } from '../../src/platform/doctor.ts';
import { peerRef } from '../../src/platform/peer-names.ts';
import { mustFindPeer, peerResources } from '../../src/platform/peer.ts';
import type { PeerStatus } from '../../src/shell/host.ts';
import { app, APP_ID } from './builders.ts';

const ids = ['12D3KooWaaaaaa1', '12D3KooWbbbbbb2', '12D3KooWcccccc3'] as PeerId[];
const [self, other, gone] = ids as [PeerId, PeerId, PeerId];

function member(peer: PeerId, name: string, state: Member['state'] = 'member'): [PeerId, Member] {
  return [peer, { peer, name, state, heads: [], since: { ms: 5, n: 0 } }];
}

const view: View = {
  cluster: null,
  clusterName: 'home',
  ca: null,
  members: new Map([member(self, 'attic'), member(other, 'cellar'), member(gone, 'shed', 'removed')]),
  invites: new Map(),
  tokens: new Map(),
  users: new Map(),
  dataKey: null,
  apps: new Map([[APP_ID, app()]]),
  names: new Map([['blog', APP_ID]]),
  domains: new Map(),
  providers: new Map(),
  acme: null,
  stacks: new Map(),
  pipelines: new Map(),
  ports: new Map(),
  promotions: new Map(),
  requests: new Map(),
  known: 9,
  waiting: 2,
  quarantined: new Map([['op1' as OpId, 'threw']]),
};

test('members are listed, removed ones are not, and what is not known is null', () => {
  const peers = peerResources(view, [], self);
  expect(peers.map((peer) => [peer.name, peer.state, peer.self])).toEqual([
    ['attic', 'alive', true],
    ['cellar', 'unknown', false],
  ]);
  expect(peers[1]).toMatchObject({ load: null, memory_mib: null, dynos: 0 });
  expect(clusterResource(view, self).members).toHaveLength(2);
});

test('members of one name are told apart by the ends of their ids, and found by what is shown', () => {
  const members = new Map([member(self, 'attic'), member(other, 'attic'), member(gone, 'attic', 'removed')]);
  const shared = { ...view, members };
  const peers = peerResources(shared, [], self);
  expect(peers.map(({ name }) => name)).toEqual(['attic-aaa1', 'attic-bbb2']);
  expect(mustFindPeer(peers, 'attic-bbb2').id).toBe(other);
  expect(() => mustFindPeer(peers, 'attic')).toThrow('"attic" could be 2 peers');
  expect(clusterResource(shared, self).self.name).toBe('attic-aaa1');
  expect(peerRef(view, self).name).toBe('attic');
  expect(peerRef(view, 'nobody' as PeerId).name).toBe('nobody');
});

test('a peer names the volumes that are lost with it, and the dynos that only it can run', () => {
  const volume = {
    id: 'v' as VolumeId,
    name: 'data',
    place: { peer: other, copy: 'c' },
    from: null,
    ready: true,
    mount: { type: 'web', path: '/app/data', by: 'o' },
  } as unknown as Volume;
  const blog = app([], { volumes: new Map([[volume.id, volume]]) });
  const dyno = (type: string) => ({ app: APP_ID, type, index: 1, size: 'Basic' });
  const facts = {
    name: 'cellar',
    dynos: [dyno('web'), dyno('worker')],
    oneOffs: [],
    addrs: {},
    capacity: {},
  };
  const statuses = [{ peer: other, verdict: 'alive', facts }] as unknown as PeerStatus[];
  const [attic, cellar] = peerResources({ ...view, apps: new Map([[APP_ID, blog]]) }, statuses, self);
  expect(attic).toMatchObject({ volumes: [], staying: [] });
  expect(cellar).toMatchObject({
    volumes: [{ app: 'blog', name: 'data' }],
    staying: [{ app: 'blog', dyno: 'web.1', volume: 'data' }],
  });
});

test('a peer is found by name, by id, by a start or end of it that is its own, and as ~', () => {
  const peers = peerResources(view, [], self);
  for (const name of ['attic', self, 'aa1', '~']) expect(mustFindPeer(peers, name).id).toBe(self);
  expect(() => mustFindPeer(peers, '12D3')).toThrow(/could be 2 peers/);
  expect(() => mustFindPeer(peers, 'moon')).toThrow(expect.objectContaining({ code: 'not_found' }));
});

test('the doctor names ports whose number two sides of a split have given', () => {
  const type = 'db' as ProcessType;
  const port = { type, number: 61_501, wantedNumber: 61_500, openedAt: 0 };
  const blog = app([], { ports: new Map([[type, port]]) });
  const { problems } = doctorResource({ ...view, apps: new Map([[APP_ID, blog]]) }, [], [], self, 0);
  expect(problems.find(({ id }) => id === 'port_number_taken_twice')?.message).toBe(
    'Port 61500 was given twice, on both sides of a split: "db" of "blog" has 61501 now',
  );
});

test('the doctor names add-ons that got another name than was asked for', () => {
  const addon = { name: 'cache-1a2b', wantedName: 'cache', state: 'provisioned' } as unknown as Addon;
  const blog = app([], { addons: new Map([['a' as AddonId, addon]]) });
  const { problems } = doctorResource({ ...view, apps: new Map([[APP_ID, blog]]) }, [], [], self, 0);
  expect(problems.find(({ id }) => id === 'addon_name_taken_twice')?.message).toBe(
    '"cache" was given to two add-ons at once: the later, of "blog", is called "cache-1a2b"',
  );
});

test('the doctor names dead peers, dynos without a place and what the ledger could not apply, gravest first', () => {
  const statuses = [{ peer: other, verdict: 'unreachable' as const, facts: null }];
  const unplaced = [{ slot: `${APP_ID}/web.1` as SlotKey, reason: 'no room' }];
  const { problems, quarantined, waiting } = doctorResource(view, statuses, unplaced, self, 0);
  expect(problems.map((problem) => [problem.id, problem.severity])).toEqual([
    ['dyno_unplaced', 'error'],
    ['ops_quarantined', 'error'],
    ['peer_not_alive', 'warning'],
    ['ops_waiting', 'info'],
  ]);
  expect(problems[0]?.message).toBe('No peer can run web.1 of "blog": no room');
  expect(quarantined).toEqual([{ op: 'op1', reason: 'threw' }]);
  expect(waiting).toBe(2);
});

test('the doctor of a removed peer says before all else that it was removed', () => {
  const [first] = doctorResource(view, [], [], gone, 0).problems;
  expect(first).toMatchObject({ id: 'peer_removed', severity: 'error' });
});

test('the doctor says why no certificate could be ordered, and leaves short-lived ones time', () => {
  const domain = { hostname: '*.example.com', domain: 'd1', createdAt: 0, cert: null };
  const facts = { names: [], startsAt: 0, expiresAt: 1_200, issuer: '', subject: '', trusted: true };
  const id = '00000000-0000-4000-8000-000000000001' as CertId;
  const ordered = {
    id,
    name: 'otter-1',
    displayName: null,
    chain: '',
    key: new Uint8Array(),
    facts,
    acm: 'd2',
  };
  const ordering = {
    acm: { on: true, ask: null, domains: new Map() },
    domains: new Map([[domain.hostname, domain]]),
    certs: new Map([[id, { ...ordered, createdAt: 0, updatedAt: 0 }]]),
  };
  const served = { ...view, apps: new Map([[APP_ID, { ...app(), ...ordering }]]) };
  const found = (now: number) =>
    doctorResource(served, [], [], self, now).problems.filter((each) => each.id.startsWith('certificate'));
  expect(found(900)).toMatchObject([
    { id: 'certificate_not_ordered', severity: 'info', message: expect.stringContaining('wildcard') },
  ]);
  expect(found(1_100)[0]).toMatchObject({
    id: 'certificate_expires',
    hint: expect.stringContaining('certs:auto'),
  });
});

test('the doctor names a certificate that expires within three weeks, or has expired', () => {
  const day = 24 * 3_600_000;
  const facts = { names: [], startsAt: 0, expiresAt: 100 * day, issuer: '', subject: '', trusted: true };
  const fields = { name: 'otter-1', displayName: null, chain: '', key: new Uint8Array(), facts, acm: null };
  const id = '00000000-0000-4000-8000-000000000001' as CertId;
  const certs = new Map([[id, { id, ...fields, createdAt: 0, updatedAt: 0 }]]);
  const served = { ...view, apps: new Map([[APP_ID, { ...app(), certs }]]) };
  const idsAt = (now: number): readonly string[] =>
    doctorResource(served, [], [], self, now).problems.map((problem) => problem.id);
  expect(idsAt(78 * day)).not.toContain('certificate_expires');
  expect(idsAt(80 * day)).toContain('certificate_expires');
  expect(idsAt(100 * day)).toContain('certificate_expired');
});
