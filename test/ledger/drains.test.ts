import { expect, test } from 'vitest';
import type { AddonId } from '../../src/ids.ts';
import { dutiesIn } from '../../src/ledger/duties.ts';
import { addDrain, appId, clusterWithApp, drainId, refusal, sealed, sync, unsealed } from './builders.ts';
import type { TestPeer } from './builders.ts';

function onePeer(): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  return peer;
}

function urls(peer: TestPeer): readonly (string | null)[] {
  return [...peer.app().drains.values()].map(({ url }) => unsealed(url));
}

test('a drain that was added is a duty until it is removed, or its app is', () => {
  const peer = onePeer();
  peer.run(addDrain(1, 'a'));
  peer.run(addDrain(2, 'b'));
  const key = (n: number): string => `drain/${drainId(n)}`;
  expect(dutiesIn(peer.view)).toEqual([
    { kind: 'drain', key: key(1) },
    { kind: 'drain', key: key(2) },
  ]);
  peer.run({ type: 'drain.remove', app: appId(1), drain: drainId(1) });
  expect(dutiesIn(peer.view).map((duty) => duty.key)).toEqual([key(2)]);
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect(dutiesIn(peer.view)).toEqual([]);
});

test('one URL is given once, five drains are the most, and an add-on’s come on top', () => {
  const peer = onePeer();
  for (let n = 1; n <= 5; n += 1) peer.run(addDrain(n, `host${n}`));
  expect(refusal(peer.decide(addDrain(6, 'host1')))).toMatchObject({
    code: 'invalid_params',
    message: 'Url has already been taken.',
  });
  expect(refusal(peer.decide(addDrain(6, 'host6')))).toMatchObject({
    code: 'invalid_params',
    message: 'You have reached the limit of 5 drains per app.',
  });
  peer.run({ ...addDrain(6, 'host1'), addon: appId(7) as string as AddonId } as ReturnType<typeof addDrain>);
  expect(peer.app().drains.size).toBe(6);
});

test('adding a drain again writes nothing', () => {
  const peer = onePeer();
  peer.run(addDrain(1, 'a'));
  expect(peer.run(addDrain(1, 'a'))).toEqual([]);
});

test('a drain with another URL keeps its token and its age', () => {
  const peer = onePeer();
  peer.run(addDrain(1, 'a'));
  const before = peer.app().drains.get(drainId(1));
  peer.run({ type: 'drain.set', app: appId(1), drain: drainId(1), url: sealed('syslog://b') });
  expect(urls(peer)).toEqual(['syslog://b']);
  const { token, createdAt } = before ?? {};
  expect(peer.app().drains.get(drainId(1))).toMatchObject({ token, createdAt });
});

test('what is not there is neither changed nor removed', () => {
  const peer = onePeer();
  const missing = { code: 'not_found', resource: 'log_drain' };
  const at = { app: appId(1), drain: drainId(1) };
  expect(refusal(peer.decide({ type: 'drain.remove', ...at }))).toMatchObject(missing);
  expect(refusal(peer.decide({ type: 'drain.set', ...at, url: sealed('x') }))).toMatchObject(missing);
});

test('a drain removed on one side of a split stays removed, though the other side changed it', () => {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  a.run(addDrain(1, 'a'));
  sync(a, b);
  a.run({ type: 'drain.remove', app: appId(1), drain: drainId(1) });
  b.wall += 10_000;
  b.run({ type: 'drain.set', app: appId(1), drain: drainId(1), url: sealed('syslog://b') });
  sync(a, b);
  expect(a.app().drains.size).toBe(0);
  expect(b.app().drains.size).toBe(0);
});
