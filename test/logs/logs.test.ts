import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { expect, test } from 'vitest';
import { openLogs, type LogsOptions } from '../../agent/logs/logs.ts';
import { logTopic } from '../../agent/logs/publisher.ts';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogItem, Logs } from '../../src/shell/logs.ts';
import { eventually } from '../helpers/eventually.ts';
import { MemoryNetwork, type MemoryMesh } from '../helpers/memory-mesh.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const app = 'a0000000-0000-4000-8000-000000000001' as AppId;
const log = pino({ level: 'silent' });

async function openAt(dir: string, mesh: MemoryMesh, overrides: Partial<LogsOptions> = {}): Promise<Logs> {
  return openLogs({ dir, mesh, members: () => mesh.connected(), log, now: Date.now, ...overrides });
}

function say(logs: Logs, text: string, process = 'web.1'): void {
  logs.append({ app, source: 'app', process, text });
}

async function texts(logs: Logs, lines = 100): Promise<readonly string[]> {
  return (await logs.recent(app, lines, {})).lines.map((line) => line.text);
}

/** Collects a tail in the background. */
function follow(logs: Logs, lines: number, signal: AbortSignal): { items: LogItem[]; done: Promise<void> } {
  const items: LogItem[] = [];
  const done = (async () => {
    for await (const item of logs.tail(app, lines, {}, signal)) items.push(item);
  })();
  return { items, done };
}

function textsOf(items: readonly LogItem[]): readonly string[] {
  return items.map((item) => ('line' in item ? item.line.text : `(${item.gap.dropped} lost)`));
}

test('lines and their numbers outlive a restart, and the ring keeps the last 1,500', async () => {
  await using dir = await tempDir();
  const mesh = new MemoryNetwork().add('a');
  {
    await using logs = await openAt(dir.path, mesh);
    for (let i = 1; i <= 2_000; i += 1) say(logs, `line ${i}`);
  }
  await using logs = await openAt(dir.path, mesh);
  say(logs, 'after');
  const { lines } = await logs.recent(app, 10_000, {});
  expect(lines.length).toBe(1_500);
  expect(lines.at(-2)).toMatchObject({ text: 'line 2000', seq: 2_000 });
  expect(lines.at(-1)).toMatchObject({ text: 'after', seq: 2_001 });
});

test('the files of a ring are rotated, so that a chatty app does not fill the disk', async () => {
  await using dir = await tempDir();
  const mesh = new MemoryNetwork().add('a');
  for (let round = 0; round < 5; round += 1) {
    await using logs = await openAt(dir.path, mesh);
    for (let i = 0; i < 1_500; i += 1) say(logs, `round ${round} line ${i} ${'x'.repeat(50)}`);
  }
  const sizes = await Promise.all(
    ['current.jsonl', 'previous.jsonl'].map(async (name) => (await stat(join(dir.path, app, name))).size),
  );
  expect(sizes.reduce((a, b) => a + b)).toBeLessThan(3_100 * 130);
});

test('a file torn by a crash costs the torn line only', async () => {
  await using dir = await tempDir();
  const mesh = new MemoryNetwork().add('a');
  {
    await using logs = await openAt(dir.path, mesh);
    say(logs, 'one');
    say(logs, 'two');
  }
  await appendFile(join(dir.path, app, 'current.jsonl'), '[3,17672');
  {
    await using logs = await openAt(dir.path, mesh);
    expect(await texts(logs)).toEqual(['one', 'two']);
    say(logs, 'three');
  }
  await using logs = await openAt(dir.path, mesh);
  expect(await texts(logs)).toEqual(['one', 'two', 'three']);
});

test('a folder that is no app and a file of rubbish do not keep the logs from opening', async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, 'not an app'));
  await mkdir(join(dir.path, app));
  await writeFile(join(dir.path, app, 'current.jsonl'), 'rubbish\n[1,2]\n{}\n');
  await using logs = await openAt(dir.path, new MemoryNetwork().add('a'));
  expect(await texts(logs)).toEqual([]);
});

test('an app id that could leave the folder is not followed', async () => {
  await using dir = await tempDir();
  await using logs = await openAt(join(dir.path, 'logs'), new MemoryNetwork().add('a'));
  logs.append({ app: '../evil' as AppId, source: 'app', process: 'web.1', text: 'x' });
  await logs[Symbol.asyncDispose]();
  await expect(stat(join(dir.path, 'evil'))).rejects.toThrow('ENOENT');
});

test('recent lines of all peers are merged by time, and a peer that does not answer is named', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  const [meshA, meshB, meshC] = ['a', 'b', 'c'].map((name) => network.add(name)) as [
    MemoryMesh,
    MemoryMesh,
    MemoryMesh,
  ];
  await using a = await openAt(join(dir.path, 'a'), meshA, { members: () => [meshB.self, meshC.self] });
  await using b = await openAt(join(dir.path, 'b'), meshB);
  meshC.serve('logs', () => undefined); // takes the question and says nothing
  for (const [logs, text, timeUs] of [
    [a, 'first', 1_000],
    [b, 'second', 2_000],
    [a, 'third', 3_000],
  ] as const) {
    logs.append({ app, source: 'app', process: 'web.1', text, timeUs });
  }
  b.append({ app, source: 'heroku', process: 'router', text: 'at=info', timeUs: 4_000 });
  const { lines, missing } = await a.recent(app, 3, { source: 'app' });
  expect(lines.map((line) => [line.text, line.peer])).toEqual([
    ['first', 'a'],
    ['second', 'b'],
    ['third', 'a'],
  ]);
  expect(missing).toEqual(['c']);
  expect((await a.recent(app, 1, {})).lines.map((line) => line.text)).toEqual(['at=info']);
});

test('a tail shows the backlog and then what every peer says, each line once', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  await using a = await openAt(join(dir.path, 'a'), network.add('a'));
  await using b = await openAt(join(dir.path, 'b'), network.add('b'));
  say(a, 'a0');
  say(b, 'b0');
  const abort = new AbortController();
  const tail = follow(a, 10, abort.signal);
  // Made while the backlog is being collected: in it, or live, but never lost or twice.
  for (let i = 1; i <= 200; i += 1) {
    say(a, `a${i}`);
    say(b, `b${i}`);
    if (i % 20 === 0) await new Promise(setImmediate);
  }
  await eventually(() => textsOf(tail.items).includes('a200') && textsOf(tail.items).includes('b200'));
  for (const peer of ['a', 'b']) {
    const seen = textsOf(tail.items).filter((text) => text.startsWith(peer));
    const first = Number(seen[0]?.slice(1));
    expect(seen).toEqual(Array.from({ length: 201 - first }, (_, i) => `${peer}${first + i}`));
  }
  abort.abort();
  await tail.done;
});

test('lines that gossip lost are fetched, also when no later line shows the hole', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  await using a = await openAt(join(dir.path, 'a'), network.add('a'), { checkMs: 50 });
  await using b = await openAt(join(dir.path, 'b'), network.add('b'));
  network.loseGossip = () => true;
  say(b, 'b0');
  const abort = new AbortController();
  const tail = follow(a, 10, abort.signal);
  await eventually(() => tail.items.length === 1);
  for (let i = 1; i <= 5; i += 1) say(b, `b${i}`);
  await eventually(() => tail.items.length === 6);
  expect(textsOf(tail.items)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4', 'b5']);
  abort.abort();
  await tail.done;
});

test('lines that nobody has any more are shown as a gap with their number', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  await using a = await openAt(join(dir.path, 'a'), network.add('a'), { checkMs: 60_000 });
  await using b = await openAt(join(dir.path, 'b'), network.add('b'));
  say(b, 'b1');
  const abort = new AbortController();
  const tail = follow(a, 10, abort.signal);
  await eventually(() => tail.items.length === 1);
  network.loseGossip = () => true;
  for (let i = 2; i <= 1_601; i += 1) say(b, `b${i}`);
  await eventually(() => (network.peers.get('b' as PeerId)?.published.length ?? 0) > 0);
  await eventually(async () => (await a.recent(app, 1, {})).lines[0]?.text === 'b1601');
  network.loseGossip = () => false;
  // Once its batches have left, the next line is gossiped and shows the hole.
  await eventually(
    () => {
      say(b, 'later');
      return tail.items.some((item) => 'line' in item && item.line.text === 'later');
    },
    { everyMs: 100 },
  );
  const gap = tail.items.find((item) => 'gap' in item);
  expect(gap).toMatchObject({ gap: { peer: 'b' } });
  const dropped = gap !== undefined && 'gap' in gap ? gap.gap.dropped : 0;
  const shown = textsOf(tail.items).filter((text) => /^b\d+$/.test(text)).length;
  expect(shown + dropped).toBe(1_601);
  abort.abort();
  await tail.done;
});

test('a slow watcher loses the oldest lines, is told how many, and holds no more than its bound', async () => {
  await using dir = await tempDir();
  await using logs = await openAt(dir.path, new MemoryNetwork().add('a'));
  const abort = new AbortController();
  const tail = logs.tail(app, 0, {}, abort.signal)[Symbol.asyncIterator]();
  const first = tail.next();
  await eventually(() => {
    say(logs, 'go');
    return Promise.race([
      first.then(() => true),
      new Promise<false>((resolve) => setImmediate(resolve, false)),
    ]);
  });
  const before = (await logs.recent(app, 1, {})).lines[0]?.seq ?? 0;
  for (let i = 0; i < 1_000; i += 1) say(logs, `${i} ${'x'.repeat(1_000)}`);
  const items: LogItem[] = [];
  for (;;) {
    const { value } = await tail.next();
    items.push(value as LogItem);
    if (value !== undefined && 'line' in value && value.line.text.startsWith('999 ')) break;
  }
  const dropped = items.reduce((sum, item) => sum + ('gap' in item ? item.gap.dropped : 0), 0);
  const shown = items.filter((item) => 'line' in item && item.line.seq > before).length;
  expect(dropped).toBeGreaterThan(500);
  expect(shown * 1_000).toBeLessThanOrEqual(256 * 1024);
  abort.abort();
  expect((await tail.next()).done).toBe(true);
});

test('nothing is gossiped while nobody listens, and messages stay within their bound when somebody does', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  const meshB = network.add('b');
  await using a = await openAt(join(dir.path, 'a'), network.add('a'));
  await using b = await openAt(join(dir.path, 'b'), meshB);
  say(b, 'unheard');
  // Written to disk after more than a batch's time: had it been gossiped, that would have been before.
  await eventually(() => stat(join(dir.path, 'b', app, 'current.jsonl')));
  expect(await texts(a)).toEqual(['unheard']);
  expect(meshB.published).toEqual([]);
  const abort = new AbortController();
  const tail = follow(a, 10, abort.signal);
  await eventually(() => tail.items.length === 1);
  for (let i = 0; i < 20; i += 1) say(b, '\u0007'.repeat(9_999));
  await eventually(() => tail.items.length === 21);
  expect(meshB.published.length).toBeGreaterThan(1);
  for (const { data } of meshB.published) expect(data.length).toBeLessThanOrEqual(16 * 1024);
  abort.abort();
  await tail.done;
});

test('a peer that restarted after a crash goes on in a tail, even where it gives numbers again', async () => {
  await using dir = await tempDir();
  const network = new MemoryNetwork();
  const meshB = network.add('b');
  await using a = await openAt(join(dir.path, 'a'), network.add('a'));
  const path = join(dir.path, 'b', app, 'current.jsonl');
  let saved = '';
  const abort = new AbortController();
  let tail: ReturnType<typeof follow>;
  {
    await using b = await openAt(join(dir.path, 'b'), meshB, { now: () => 1_000 });
    say(b, 'kept');
    saved = await eventually(async () => (await readFile(path, 'utf8')) || null);
    tail = follow(a, 10, abort.signal);
    await eventually(() => meshB.hasSubscribers(logTopic(app)) && tail.items.length === 1);
    say(b, 'lost from disk');
    await eventually(() => tail.items.length === 2);
  }
  await writeFile(path, saved);
  await using b = await openAt(join(dir.path, 'b'), meshB, { now: () => 500 });
  say(b, 'again');
  await eventually(() => tail.items.length === 3);
  expect(textsOf(tail.items)).toEqual(['kept', 'lost from disk', 'again']);
  expect(tail.items.at(-1)).toMatchObject({ line: { seq: 2 } });
  abort.abort();
  await tail.done;
});

test('a removed app leaves neither lines nor files', async () => {
  await using dir = await tempDir();
  await using logs = await openAt(dir.path, new MemoryNetwork().add('a'));
  say(logs, 'secret');
  await eventually(async () => (await stat(join(dir.path, app, 'current.jsonl'))).size > 0);
  await logs.remove(app);
  expect(await texts(logs)).toEqual([]);
  await expect(stat(join(dir.path, app))).rejects.toThrow('ENOENT');
});
