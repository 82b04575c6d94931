import { expect, test } from 'vitest';
import type { CertId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { appId, clusterWithApp, sync } from './builders.ts';
import type { TestPeer } from './builders.ts';

const APP = appId(1);
const certId = (n: number): CertId => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as CertId;

function setCert(n: number, fields: Partial<Extract<Command, { type: 'cert.set' }>> = {}): Command {
  return {
    type: 'cert.set',
    app: APP,
    cert: certId(n),
    name: `otter-${n}`,
    displayName: null,
    chain: `chain ${n}`,
    key: new Uint8Array([n]),
    facts: {
      names: ['www.example.com'],
      startsAt: 0,
      expiresAt: 1,
      issuer: '/CN=a',
      subject: '/CN=b',
      trusted: false,
    },
    ...fields,
  };
}

const addDomain = (cert: CertId | null = null): Command => {
  return { type: 'domain.add', app: APP, hostname: 'www.example.com', domain: `d${count++}`, cert };
};
const give = (cert: CertId | null): Command => ({
  type: 'domain.update',
  app: APP,
  hostname: 'www.example.com',
  cert,
});
let count = 0;

function onePeer(): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  return peer;
}

const certsOf = (peer: TestPeer) => [...(peer.view.apps.get(APP)?.certs.values() ?? [])];
const certOf = (peer: TestPeer) => peer.view.apps.get(APP)?.domains.get('www.example.com')?.cert;

test('a certificate is added, replaced under its name, and removed', () => {
  const peer = onePeer();
  peer.run(setCert(1));
  const [first] = certsOf(peer);
  peer.wall += 1_000;
  peer.run(setCert(1, { chain: 'renewed' }));
  expect(certsOf(peer)).toMatchObject([
    { id: certId(1), name: 'otter-1', chain: 'renewed', createdAt: first?.createdAt },
  ]);
  expect(certsOf(peer)[0]?.updatedAt).toBeGreaterThan(first?.updatedAt ?? Infinity);
  peer.run({ type: 'cert.remove', app: APP, cert: certId(1) });
  expect(certsOf(peer)).toEqual([]);
});

test('a domain is given a certificate, keeps it through a renewal, and loses it with the certificate', () => {
  const peer = onePeer();
  peer.run(setCert(1));
  peer.run(addDomain());
  expect(certOf(peer)).toBeNull();
  peer.run(give(certId(1)));
  peer.run(setCert(1, { chain: 'renewed' }));
  expect(certOf(peer)).toBe(certId(1));
  peer.run({ type: 'cert.remove', app: APP, cert: certId(1) });
  expect(certOf(peer)).toBeNull();
});

test('a domain comes with its certificate in one write, and without one when it is added again', () => {
  const peer = onePeer();
  peer.run(setCert(1));
  peer.run(addDomain(certId(1)));
  expect(certOf(peer)).toBe(certId(1));
  peer.run({ type: 'domain.remove', app: APP, hostname: 'www.example.com' });
  peer.run(addDomain());
  expect(certOf(peer)).toBeNull();
});

test('what is not there is refused: a certificate, a domain, a second one of a name', () => {
  const peer = onePeer();
  peer.run(addDomain());
  const codes = [
    give(certId(9)),
    { type: 'domain.update', app: APP, hostname: 'not.example.com', cert: null },
    { type: 'cert.remove', app: APP, cert: certId(9) },
    addDomain(certId(9)),
  ] satisfies Command[];
  for (const command of codes) expect(() => peer.run(command)).toThrow();
  peer.run(setCert(1));
  expect(() => peer.run(setCert(2, { name: 'otter-1' }))).toThrow(/has one called "otter-1"/);
});

test('an app has a hundred certificates at most, which may still be renewed', () => {
  const peer = onePeer();
  for (let n = 0; n < 100; n += 1) peer.run(setCert(n));
  expect(() => peer.run(setCert(100))).toThrow(/has 100 already/);
  peer.run(setCert(7, { chain: 'renewed' }));
});

test('saying again which certificate a domain has writes nothing', () => {
  const peer = onePeer();
  peer.run(setCert(1));
  peer.run(addDomain(certId(1)));
  const before = peer.ops.length;
  peer.run(give(certId(1)));
  expect(peer.ops.length).toBe(before);
});

test('two sides of a split that renew one certificate agree on one chain and key after it', () => {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  a.run(setCert(1));
  sync(a, b);
  a.run(setCert(1, { chain: 'from a' }));
  b.run(setCert(1, { chain: 'from b' }));
  sync(a, b);
  sync(b, a);
  expect(certsOf(a)).toEqual(certsOf(b));
  expect(certsOf(a)).toHaveLength(1);
});
