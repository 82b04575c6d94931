import { pino } from 'pino';
import { expect, test } from 'vitest';
import { CertFeed } from '../../agent/certificates/cert-feed.ts';
import type { Issue } from '../../agent/certificates/own-certificates.ts';
import { Tasks } from '../../agent/lib/tasks.ts';
import { PlatformError } from '../../src/errors.ts';
import type { CertId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { CertTable } from '../../src/routing/choose-certificate.ts';
import { appId, clusterWithApp, createApp } from '../ledger/builders.ts';
import type { TestPeer } from '../ledger/builders.ts';

const log = pino({ level: 'silent' });
const ID = '00000000-0000-4000-8000-000000000001' as CertId;
const OTHER = '00000000-0000-4000-8000-000000000002' as CertId;
const issue: Issue = async (names) => ({ cert: names.join(), key: 'own' });

function setCert(cert: CertId, expiresAt: number): Command {
  const facts = {
    names: ['www.example.com'],
    startsAt: 0,
    expiresAt,
    issuer: '',
    subject: '',
    trusted: false,
  };
  const fields = { displayName: null, chain: `chain of ${cert}`, key: new Uint8Array([1]), facts };
  return { type: 'cert.set', app: appId(1), cert, name: `otter-${cert.slice(-4)}`, ...fields };
}

/** A feed of a peer that is alone, and what it has sent. */
function startFeed({ hasKeys = true } = {}) {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  const sent: CertTable[] = [];
  const tasks = new Tasks(log);
  const keys = { there: hasKeys };
  const feed = new CertFeed({
    open: (_app, name) => {
      if (!keys.there) throw new PlatformError('unavailable', 'no data key');
      return `key of ${name}`;
    },
    send: (table) => sent.push(table),
    suffixes: ['localhost', 'lan'],
    tasks,
    log,
  });
  const follow = async (by: Issue | null = issue): Promise<CertTable | undefined> => {
    feed.follow(peer.view, by);
    await tasks.settled();
    return sent.at(-1);
  };
  return { peer, sent, keys, follow };
}

const nameOf = (peer: TestPeer): string => peer.view.apps.get(appId(1))?.name ?? '';

test('nothing is sent before the cluster can issue certificates, so that a router keeps what it has', async () => {
  const { sent, follow } = startFeed();
  await follow(null);
  expect(sent).toEqual([]);
  expect(await follow()).toBeDefined();
});

test('each app has one of the cluster for its own names, and another one once it is renamed', async () => {
  const { peer, follow } = startFeed();
  const name = nameOf(peer);
  expect(await follow()).toMatchObject({
    ofApps: { [appId(1)]: { cert: `${name}.localhost,${name}.lan`, key: 'own' } },
    fallback: { cert: 'localhost,*.localhost,lan,*.lan' },
  });
  peer.run({ type: 'app.update', app: appId(1), name: 'diary' });
  expect(await follow()).toMatchObject({ ofApps: { [appId(1)]: { cert: 'diary.localhost,diary.lan' } } });
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect((await follow())?.ofApps).toEqual({});
});

test('certificates are sent opened, the one that is good for longest first, with the domains they were given to', async () => {
  const { peer, follow } = startFeed();
  peer.run(setCert(ID, 1));
  peer.run(setCert(OTHER, 2));
  peer.run({ type: 'domain.add', app: appId(1), hostname: 'www.example.com', domain: 'd', cert: ID });
  const table = await follow();
  expect(Object.keys(table?.certs ?? {})).toEqual([OTHER, ID]);
  expect(table?.certs[ID]).toMatchObject({ app: appId(1), key: `key of certificate:${ID}` });
  expect(table?.ofDomains).toEqual({ 'www.example.com': ID });
});

test('a key that cannot be opened yet is told as such once, and sent when it can be', async () => {
  const { peer, sent, keys, follow } = startFeed({ hasKeys: false });
  peer.run(setCert(ID, 1));
  expect((await follow())?.certs[ID]).toMatchObject({ key: null });
  await follow();
  expect(sent).toHaveLength(1);
  keys.there = true;
  expect((await follow())?.certs[ID]).toMatchObject({ key: `key of certificate:${ID}` });
  expect(sent).toHaveLength(2);
});

test('what changes no certificate sends nothing', async () => {
  const { peer, sent, follow } = startFeed();
  await follow();
  peer.run({ type: 'app.update', app: appId(1), maintenance: true });
  await follow();
  expect(sent).toHaveLength(1);
  peer.run(createApp(2, 'shop'));
  await follow();
  expect(sent).toHaveLength(2);
});

test('a failure to issue is made good after the next change', async () => {
  const { sent, follow } = startFeed();
  await follow(() => Promise.reject(new Error('no luck')));
  expect(sent).toEqual([]);
  expect(await follow()).toBeDefined();
});
