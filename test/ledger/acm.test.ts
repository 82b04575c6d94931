import { expect, test } from 'vitest';
import type { CertId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { certificateDuties, findWanted } from '../../src/ledger/domains/certificate-duties.ts';
import { issue, setAcme } from './acm-history.ts';
import { appId, clusterWithApp, sealed, sync } from './builders.ts';
import type { TestPeer } from './builders.ts';

const APP = appId(1);
const WWW = 'www.example.com';
const OF = { app: APP, domain: 'domain 1' };
const UPLOADED = '00000000-0000-4000-8000-000000000009' as CertId;

const turn = (on: boolean): Command => ({ type: 'acm.set', app: APP, on });
const addDomain = (hostname = WWW, domain = OF.domain): Command => ({
  type: 'domain.add',
  app: APP,
  hostname,
  domain,
});
const open = (token: string): Command => ({
  type: 'acme.challenge',
  ...OF,
  challenge: { token, authorization: `${token}.thumb`, expiresAt: 1 },
});
const fail = (reason: string, over: readonly string[] = []): Command => ({
  type: 'acm.fail',
  ...OF,
  failure: { reason, status: 'failing', notBefore: null },
  over,
});
const upload = (...names: string[]): Command => ({
  type: 'cert.set',
  app: APP,
  cert: UPLOADED,
  name: 'heron-1',
  displayName: null,
  chain: 'theirs',
  key: sealed('theirs'),
  facts: { names, startsAt: 0, expiresAt: 90, issuer: '', subject: '', trusted: true },
});

/** A peer whose app has a domain, and has certificates ordered. */
function ordering(): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  for (const command of [setAcme(), addDomain(), turn(true)]) peer.run(command);
  return peer;
}

const certsOf = (peer: TestPeer) => [...peer.app().certs.values()];
const dutiesOf = (peer: TestPeer) => certificateDuties(peer.view).map(({ key }) => key);
const goingOf = (peer: TestPeer) => peer.app().acm.domains.get(OF.domain);

test('nothing is ordered before an admin has said where', () => {
  const [peer] = clusterWithApp(1);
  expect(() => peer?.run(turn(true))).toThrow(/no account with a certificate authority/);
  peer?.run(setAcme('ops@example.com'));
  expect(peer?.view.acme).toMatchObject({ email: 'ops@example.com' });
  peer?.run(turn(true));
  expect(peer?.app().acm.on).toBe(true);
});

test('each host name of an app is a duty for ever, but for wildcards and for what somebody has a certificate for', () => {
  const peer = ordering();
  peer.run(addDomain('*.example.com', 'wild'));
  expect(dutiesOf(peer)).toEqual([expect.stringMatching(/^certificate\/www\.example\.com\/.+$/)]);
  peer.run(issue(OF, 'first'));
  expect(dutiesOf(peer)).toHaveLength(1);
  peer.run(upload('*.example.com'));
  expect(dutiesOf(peer)).toEqual([]);
  peer.run({ type: 'cert.remove', app: APP, cert: UPLOADED });
  expect(dutiesOf(peer)).toHaveLength(1);
  peer.run(turn(false));
  expect(dutiesOf(peer)).toEqual([]);
});

test('asking again, and other settings, make another duty of it: whoever waits under the old one begins anew', () => {
  const peer = ordering();
  const [before] = certificateDuties(peer.view);
  if (before === undefined) throw new Error('no duty');
  expect(findWanted(peer.view, before)).toMatchObject({ domain: { hostname: WWW }, cert: null });
  peer.run(turn(true));
  const [again] = dutiesOf(peer);
  expect(again).not.toBe(before.key);
  expect(findWanted(peer.view, before)).toBeNull();
  peer.run(setAcme('new@example.com'));
  expect(dutiesOf(peer)).not.toEqual([again]);
});

test('a certificate that was issued ends its challenge and what failed before, all in one write', () => {
  const peer = ordering();
  peer.run(open('t1'));
  peer.run(fail('refused'));
  expect(goingOf(peer)).toMatchObject({ failure: { reason: 'refused' }, challenges: [{ token: 't1' }] });
  peer.run(issue(OF, 'first', ['t1']));
  expect(certsOf(peer)).toMatchObject([{ chain: 'first', acm: OF.domain }]);
  expect(goingOf(peer)).toBeUndefined();
});

test('why an order failed is written when it is news', () => {
  const peer = ordering();
  expect(peer.run(fail('refused'))).toHaveLength(1);
  expect(peer.run(fail('refused'))).toHaveLength(0);
  expect(peer.run(fail('gone'))).toHaveLength(1);
});

test('asking again forgets what failed', () => {
  const peer = ordering();
  peer.run(fail('refused'));
  peer.run(turn(true));
  expect(goingOf(peer)).toBeUndefined();
});

test('challenges of two issuers stand side by side, and no more than four of those that died', () => {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  for (const command of [setAcme(), addDomain(), turn(true)]) a.run(command);
  sync(a, b);
  a.run(open('ta'));
  b.run(open('tb'));
  sync(a, b);
  const tokens = () => goingOf(b)?.challenges.map(({ token }) => token) ?? [];
  expect([...tokens()].sort()).toEqual(['ta', 'tb']);
  for (let n = 0; n < 9; n += 1) b.run(open(`t${n}`));
  expect(tokens()).toEqual(['t5', 't6', 't7', 't8']);
});

test('off, an app keeps what was added to it and loses what was ordered for it', () => {
  const peer = ordering();
  peer.run(issue(OF, 'ordered'));
  peer.run(upload('other.example.com'));
  peer.run(open('t1'));
  peer.run(turn(false));
  expect(certsOf(peer).map(({ chain }) => chain)).toEqual(['theirs']);
  expect(goingOf(peer)).toBeUndefined();
  expect(() => peer.run(issue(OF, 'late'))).toThrow(/No certificates are ordered/);
});

test('an ordered certificate goes with its domain, and gives way to one that somebody adds for it', () => {
  const peer = ordering();
  peer.run(issue(OF, 'ordered'));
  peer.run(upload('other.example.com'));
  expect(certsOf(peer)).toHaveLength(2);
  peer.run(upload(WWW));
  expect(certsOf(peer).map(({ chain }) => chain)).toEqual(['theirs']);
  peer.run({ type: 'cert.remove', app: APP, cert: UPLOADED });
  peer.run(issue(OF, 'again'));
  peer.run({ type: 'domain.remove', app: APP, hostname: WWW });
  expect(certsOf(peer)).toEqual([]);
});

test('an ordered certificate is not removed by itself, and stays ordered when it is only called otherwise', () => {
  const peer = ordering();
  peer.run(issue(OF, 'ordered'));
  const [cert] = certsOf(peer);
  if (cert === undefined) throw new Error('no certificate');
  expect(() => peer.run({ type: 'cert.remove', app: APP, cert: cert.id })).toThrow(/ordered automatically/);
  const { id, name, chain, key, facts } = cert;
  const named = {
    type: 'cert.set',
    app: APP,
    cert: id,
    name,
    chain,
    key,
    facts,
    displayName: 'Shop',
  } as const;
  peer.run(named);
  expect(certsOf(peer)).toMatchObject([{ displayName: 'Shop', acm: OF.domain }]);
  peer.run({ ...named, chain: 'theirs' });
  expect(certsOf(peer)).toMatchObject([{ chain: 'theirs', acm: null }]);
});
