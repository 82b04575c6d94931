import { join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openLogs } from '../../agent/logs/logs.ts';
import { NewsAsker } from '../../agent/logs/news-asker.ts';
import { NewsBoard } from '../../agent/logs/news-board.ts';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogPosition } from '../../src/logs/position.ts';
import type { Logs } from '../../src/shell/logs.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryNetwork, type MemoryMesh } from '../helpers/memory-mesh.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const log = pino({ level: 'silent' });
const apps = [1, 2, 3, 4, 5].map((n) => `a0000000-0000-4000-8000-00000000000${n}` as AppId);
const [blog, shop] = apps as [AppId, AppId];
const reader = 'reader' as PeerId;

function say(logs: Logs, app: AppId, text: string): void {
  logs.append({ app, source: 'app', process: 'web.1', text });
}

function open(dir: string, mesh: MemoryMesh): Promise<Logs> {
  const members = (): readonly PeerId[] => mesh.connected();
  return openLogs({ dir: join(dir, mesh.self), mesh, members, log, now: Date.now, checkMs: 30 });
}

function boardAt(positions: ReadonlyMap<AppId, LogPosition>): NewsBoard {
  return new NewsBoard((app) => positions.get(app) ?? null);
}

test('a question is answered at once where there is news, and with all of it', async () => {
  const board = boardAt(
    new Map([
      [blog, { boot: 2, seq: 7 }],
      [shop, { boot: 2, seq: 1 }],
    ]),
  );
  const known = new Map([
    [blog, { boot: 2, seq: 6 }],
    [shop, null],
  ]);
  expect(await board.ask(reader, known, 60_000)).toEqual([
    [blog, { boot: 2, seq: 7 }],
    [shop, { boot: 2, seq: 1 }],
  ]);
});

test('a question about what is at rest waits until something is said, but not for other apps', async () => {
  const positions = new Map([[blog, { boot: 2, seq: 7 }]]);
  const board = boardAt(positions);
  let answer: unknown = null;
  const answered = board.ask(reader, new Map([[blog, { boot: 2, seq: 7 }]]), 60_000);
  void answered.then((news) => (answer = news));
  board.said(shop);
  await new Promise(setImmediate);
  expect(answer).toBeNull();
  positions.set(blog, { boot: 2, seq: 8 });
  board.said(blog);
  expect(await answered).toEqual([[blog, { boot: 2, seq: 8 }]]);
});

test('a peer that asks again has left its question before', async () => {
  const positions = new Map([[blog, { boot: 2, seq: 7 }]]);
  const board = boardAt(positions);
  const known = new Map([[blog, { boot: 2, seq: 7 }]]);
  const before = board.ask(reader, known, 60_000);
  const now = board.ask(reader, known, 60_000);
  expect(await before).toEqual([]);
  positions.set(blog, { boot: 2, seq: 8 });
  board.said(blog);
  expect(await now).toHaveLength(1);
});

test('whoever watches many apps asks each peer one question, and a peer where nobody speaks nothing more', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  const [meshA, meshB, meshC] = [network.add('a'), network.add('b'), network.add('c')];
  await using a = await open(dir.path, meshA);
  await using b = await open(dir.path, meshB);
  await using c = await open(dir.path, meshC);
  const asked = (to: MemoryMesh, service: string): number =>
    meshA.opened.filter((each) => each.to === to.self && each.service === service).length;
  for (const app of apps) for (const logs of [b, c]) say(logs, app, 'one');
  const stop = new AbortController();
  const texts: string[] = [];
  const following = apps.map(async (app) => {
    for await (const item of a.follow(app, new Map(), 0, stop.signal)) {
      if ('line' in item) texts.push(item.line.text);
    }
  });
  await eventually(() => texts.length === 10);
  // Each was asked where it is, and then what it says after that: this one waits.
  await eventually(() => asked(meshB, 'log-news') >= 2 && asked(meshC, 'log-news') >= 2);
  const before = meshA.opened.length;
  for (let round = 0; round < 10; round += 1) {
    const questions = asked(meshB, 'log-news');
    for (const app of apps) say(b, app, `round ${round}`);
    await eventually(() => asked(meshB, 'log-news') > questions);
  }
  await eventually(() => texts.length === 60);
  const since = meshA.opened.slice(before);
  const questions = since.filter(({ to, service }) => to === meshB.self && service === 'log-news');
  // Five apps speak in each round.
  expect(questions.length).toBeLessThan(30);
  // Nothing, but for what may have been under way.
  expect(since.filter(({ to }) => to === meshC.self).length).toBeLessThanOrEqual(1 + apps.length);
  stop.abort();
  await Promise.all(following);
});

test('a peer that comes back is asked at once for what it said meanwhile', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  const [meshA, meshB] = [network.add('a'), network.add('b')];
  await using a = await open(dir.path, meshA);
  await using b = await open(dir.path, meshB);
  const stop = new AbortController();
  const texts: string[] = [];
  const following = (async () => {
    for await (const item of a.follow(blog, new Map(), 0, stop.signal))
      if ('line' in item) texts.push(item.line.text);
  })();
  say(b, blog, 'before');
  await eventually(() => texts.length === 1);
  network.cut(meshA.self, meshB.self);
  say(b, blog, 'meanwhile');
  network.heal(meshA.self, meshB.self);
  await eventually(() => texts.length === 2);
  expect(texts).toEqual(['before', 'meanwhile']);
  stop.abort();
  await following;
});

test('nobody looks for whom to ask while no app is watched', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  let looks = 0;
  let isWatching = true;
  const asker = new NewsAsker({
    mesh: new MemoryNetwork().add('a'),
    members: () => ((looks += 1), []),
    isWatching: () => isWatching,
    known: () => new Map(),
    onNews: async () => {},
    graceMs: 1_000,
    log,
  });
  asker.refresh();
  vi.advanceTimersByTime(3_000);
  expect(looks).toBe(3);
  isWatching = false;
  asker.refresh();
  vi.advanceTimersByTime(1_000);
  expect(vi.getTimerCount()).toBe(0);
  isWatching = true;
  asker.refresh();
  vi.advanceTimersByTime(1_000);
  expect(looks).toBe(4);
  await asker.close();
  expect(vi.getTimerCount()).toBe(0);
});
