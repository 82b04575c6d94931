import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProcessType } from '../../src/ids.ts';
import { generationOf, listens } from '../../src/ledger/apps/generation.ts';
import { homeKey } from '../../src/ledger/home.ts';
import { freeNumber } from '../../src/ledger/ports/port-numbers.ts';
import { PORT_NUMBER_MAX, PORT_NUMBER_MIN } from '../../src/ledger/ports/port-types.ts';
import { WEB, appId, clusterWithApp, createApp, deploy, refusal, sync } from './builders.ts';
import type { TestPeer } from './builders.ts';
import { closePort, openPort } from './port-history.ts';

const DB = 'db' as ProcessType;

function numberOf(peer: TestPeer, n = 1, type = DB): number | undefined {
  return peer.app(n).ports.get(type)?.number;
}

function peers(count: number): TestPeer[] {
  const all = clusterWithApp(count);
  all[0]?.run(createApp(2, 'shop'));
  sync(...all);
  return all;
}

function onePeer(): TestPeer {
  const [peer] = peers(1);
  if (peer === undefined) throw new Error('no peer');
  return peer;
}

test('a type that is opened has a number of its own, and the same one when it is closed and opened again', () => {
  const peer = onePeer();
  peer.run(openPort('db'));
  const number = numberOf(peer) ?? NaN;
  expect(number).toBeGreaterThanOrEqual(PORT_NUMBER_MIN);
  expect(number).toBeLessThanOrEqual(PORT_NUMBER_MAX);
  expect(peer.view.ports).toEqual(new Map([[number, { app: appId(1), type: 'db' }]]));
  expect(peer.run(openPort('db'))).toEqual([]);
  expect(peer.run(openPort('db', number))).toEqual([]);
  peer.run(closePort('db'));
  expect(peer.view.ports.size).toBe(0);
  expect(peer.app().ports.size).toBe(0);
  peer.run(openPort('db'));
  expect(numberOf(peer)).toBe(number);
});

test('a number that was asked for is given, once in the cluster, and left when another is asked for', () => {
  const peer = onePeer();
  peer.run(openPort('db', 61_500));
  expect(refusal(peer.decide(openPort('db', 61_500, 2)))).toMatchObject({
    code: 'conflict',
    message: 'Cannot open "db" of "shop": port 61500 is taken',
  });
  peer.run(openPort('db', 61_501));
  expect([...peer.view.ports.keys()]).toEqual([61_501]);
  peer.run(openPort('db', 61_500, 2));
  expect(numberOf(peer, 2)).toBe(61_500);
});

test('a number that was asked for comes back when its type is closed and opened again, unless it was given away', () => {
  const peer = onePeer();
  peer.run(openPort('db', 61_500));
  peer.run(openPort('db', 61_501));
  peer.run(closePort('db'));
  peer.run(openPort('db'));
  expect(numberOf(peer)).toBe(61_501);
  peer.run(closePort('db'));
  peer.run(openPort('db', 61_501, 2));
  peer.run(openPort('db'));
  const other = numberOf(peer);
  expect([61_500, 61_501]).not.toContain(other);
  peer.run(closePort('db', 2));
  peer.run(closePort('db'));
  peer.run(openPort('db'));
  expect(numberOf(peer)).toBe(other);
});

test('a type that had to give way has the number it was known by when it is opened again, not the one it was to have', () => {
  const [left, right] = peers(2);
  if (left === undefined || right === undefined) throw new Error('no peers');
  right.wall += 1_000;
  left.run(openPort('db', 61_500));
  right.run(openPort('db', 61_500, 2));
  sync(left, right);
  const other = numberOf(right, 2);
  left.run(closePort('db'));
  left.run(closePort('db', 2));
  sync(left, right);
  right.run(openPort('db', null, 2));
  expect(numberOf(right, 2)).toBe(other);
  right.run(openPort('db', null, 1));
  expect(numberOf(right)).toBe(61_500);
});

test('numbers of what Linux gives to others, names that are no process types, and the release command are refused', () => {
  const peer = onePeer();
  for (const number of [22, 61_000, 65_000, 61_500.5])
    expect(refusal(peer.decide(openPort('db', number))).code).toBe('invalid_params');
  expect(refusal(peer.decide(openPort('d b'))).message).toBe('"d b" is no process type');
  expect(refusal(peer.decide(openPort('release'))).code).toBe('invalid_params');
  expect(refusal(peer.decide(closePort('db')))).toMatchObject({ code: 'not_found', resource: 'port' });
});

test('an app has at most twenty, and a destroyed one none', () => {
  const peer = onePeer();
  for (let n = 1; n <= 20; n += 1) peer.run(openPort(`db${n}`));
  expect(refusal(peer.decide(openPort('db21'))).code).toBe('conflict');
  expect(peer.run(openPort('db20', 64_000))).toHaveLength(1);
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect(peer.view.ports.size).toBe(0);
  peer.run(openPort('db', 64_000, 2));
  expect(numberOf(peer, 2)).toBe(64_000);
});

test('of two that were given one number on two sides of a split the earlier has it, and the later keeps another', () => {
  const [left, right] = peers(2);
  if (left === undefined || right === undefined) throw new Error('no peers');
  right.wall += 1_000;
  left.run(openPort('db', 61_500));
  right.run(openPort('db', 61_500, 2));
  expect(numberOf(right, 2)).toBe(61_500);
  sync(left, right);
  for (const peer of [left, right]) expect(numberOf(peer)).toBe(61_500);
  const other = numberOf(left, 2);
  expect(other).not.toBe(61_500);
  expect(numberOf(right, 2)).toBe(other);
  expect(left.app(2).ports.get(DB)?.wantedNumber).toBe(61_500);
  left.run(closePort('db'));
  expect(numberOf(left, 2)).toBe(other);
  left.run(openPort('db', other, 2));
  expect(left.app(2).ports.get(DB)).toMatchObject({ number: other, wantedNumber: other });
  expect(left.run(openPort('db', other, 2))).toEqual([]);
  left.run({ type: 'app.destroy', app: appId(1) });
  sync(left, right);
  expect(numberOf(right, 2)).toBe(other);
});

test('a type whose closing met its move on the other side is at a number, or closed: the later word counts', () => {
  const [left, right] = peers(2);
  if (left === undefined || right === undefined) throw new Error('no peers');
  left.run(openPort('db', 61_500));
  sync(left, right);
  left.run(closePort('db'));
  right.wall += 1_000;
  right.run(openPort('db', 61_600));
  sync(left, right);
  for (const peer of [left, right]) expect(numberOf(peer)).toBe(61_600);
});

test('whoever opens one meets the others, for numbers are given once', () => {
  const { view } = onePeer();
  expect(homeKey(view, openPort('db'))).toBe(homeKey(view, openPort('db', null, 2)));
  expect(homeKey(view, closePort('db'))).toBe(appId(1));
});

test('dynos of a type are replaced when it is opened or closed, not when its number changes; web dynos never', () => {
  const peer = onePeer();
  peer.run(deploy('s1', 1, { web: 'serve', db: 'serve' }));
  const of = (type: ProcessType): string | null => generationOf(peer.app(), type, 1);
  const [web, closed] = [of(WEB), of(DB)];
  expect([listens(peer.app(), WEB), listens(peer.app(), DB)]).toEqual([true, false]);
  peer.run(openPort('db'));
  peer.run(openPort('web'));
  const open = of(DB);
  expect(listens(peer.app(), DB)).toBe(true);
  expect(open).not.toBe(closed);
  expect(of(WEB)).toBe(web);
  peer.run(openPort('db', 61_500));
  expect(of(DB)).toBe(open);
  peer.run(closePort('db'));
  expect(of(DB)).toBe(closed);
});

test('a free number is found as long as there is one', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: PORT_NUMBER_MIN, max: PORT_NUMBER_MAX }), (app, left) => {
      expect(freeNumber({ app: app as ReturnType<typeof appId>, type: DB }, (each) => each === left)).toBe(
        left,
      );
      expect(freeNumber({ app: app as ReturnType<typeof appId>, type: DB }, () => false)).toBe(null);
    }),
    { numRuns: 20 },
  );
});
