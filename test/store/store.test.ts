import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import pino from 'pino';
import { expect, test } from 'vitest';
import { openStore } from '../../agent/store/store.ts';
import type { Epoch, PeerId } from '../../src/ids.ts';
import type { Store } from '../../src/shell/store.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { author, epoch, storedOp } from './ops.ts';

const log = pino({ level: 'silent' });
const writer = join(import.meta.dirname, 'acknowledging-writer.ts');

async function texts(bytes: AsyncIterable<Uint8Array>): Promise<string[]> {
  const found: string[] = [];
  for await (const part of bytes) found.push(Buffer.from(part).toString());
  return found;
}

function everything(store: Store): Promise<string[]> {
  return texts(store.all((key, reason) => expect.fail(`${key}: ${reason}`)));
}

test('ops come back by author, epoch and sequence, whatever the order they were written in', async () => {
  const seqs = [10, 9, 100, 1, 0, 99_999_999_999];
  await using dir = await tempDir();
  await using store = await openStore(dir.path, log);
  await store.append(seqs.map((seq) => storedOp(seq)));
  await store.append([storedOp(5, { by: 'bob' as PeerId, text: 'bob 5' })]);
  await store.append([storedOp(7, { of: 'second' as Epoch, text: 'second 7' })]);

  const ordered = ['op 0a', 'op 1a', 'op 9a', 'op 10a', 'op 100a', 'op 99999999999a'];
  expect(await everything(store)).toEqual([...ordered, 'second 7', 'bob 5']);
  expect(await texts(store.range(author, epoch, 1, 100))).toEqual(ordered.slice(1, 5));
  expect(await texts(store.range(author, epoch, 2, 8))).toEqual([]);
  expect(await texts(store.range(author, epoch, 5, 4))).toEqual([]);
});

test('siblings of one sequence number are both kept', async () => {
  await using dir = await tempDir();
  await using store = await openStore(dir.path, log);
  await store.append([storedOp(3, { sibling: 'b' }), storedOp(3, { sibling: 'a' })]);
  expect(await texts(store.range(author, epoch, 3, 3))).toEqual(['op 3a', 'op 3b']);
});

test('an op that is there stays as it is', async () => {
  await using dir = await tempDir();
  await using store = await openStore(dir.path, log);
  await store.append([storedOp(1, { text: 'first' }), storedOp(1, { text: 'same batch' })]);
  await store.append([storedOp(1, { text: 'later' })]);
  expect(await everything(store)).toEqual(['first']);
});

test('an op that is there stays as it is after a restart too, wherever in its log it is', async () => {
  const before = [storedOp(1), storedOp(2, { sibling: 'b' }), storedOp(4)];
  await using dir = await tempDir();
  {
    await using store = await openStore(dir.path, log);
    await store.append(before);
  }
  await using store = await openStore(dir.path, log);
  await store.append([storedOp(4, { text: 'other 4' })]);
  await store.append([storedOp(2, { sibling: 'a' }), storedOp(1, { text: 'other 1' })]);
  await store.append([storedOp(3), storedOp(5), storedOp(0)]);
  await store.append([storedOp(5, { text: 'other 5' }), storedOp(3, { text: 'other 3' })]);
  expect(await everything(store)).toEqual(['op 0a', 'op 1a', 'op 2a', 'op 2b', 'op 3a', 'op 4a', 'op 5a']);
});

test('ops and records of one append are there after a restart, and records are replaced', async () => {
  await using dir = await tempDir();
  {
    await using store = await openStore(dir.path, log);
    expect(await store.getRecord('incarnation')).toBeUndefined();
    await store.append([storedOp(0)], { incarnation: 1, book: { peers: ['a'], key: Uint8Array.of(1, 2) } });
    await store.putRecord('incarnation', 2);
  }
  await using store = await openStore(dir.path, log);
  expect(await everything(store)).toEqual(['op 0a']);
  expect(await store.getRecord('incarnation')).toBe(2);
  expect(await store.getRecord('book')).toEqual({ peers: ['a'], key: Uint8Array.of(1, 2) });
});

test('any interleaving of appends leaves the union of their ops', async () => {
  await using dir = await tempDir();
  await using store = await openStore(dir.path, log);
  let run = 0;
  const appends = fc.array(fc.array(fc.nat({ max: 40 }), { maxLength: 8 }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(appends, async (groups) => {
      const of = `run${(run += 1)}` as Epoch;
      await Promise.all(groups.map((seqs) => store.append(seqs.map((seq) => storedOp(seq, { of })))));
      const expected = [...new Set(groups.flat())].sort((a, b) => a - b).map((seq) => `op ${seq}a`);
      expect(await texts(store.range(author, of, 0, 40))).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

test('a second agent on one data directory is told so', async () => {
  await using dir = await tempDir();
  await using _ = await openStore(dir.path, log);
  await expect(openStore(dir.path, log)).rejects.toMatchObject({
    code: 'conflict',
    message: `Cannot open the store "${dir.path}": another agent uses it`,
  });
});

test('writing after the end is refused, ending twice is not', async () => {
  await using dir = await tempDir();
  const store = await openStore(dir.path, log);
  const last = store.append([storedOp(1)]);
  await store[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  await last;
  await expect(store.append([storedOp(2)])).rejects.toMatchObject({ code: 'unavailable' });
});

/** A closed store of 4,000 ops in table files rather than in LevelDB's log. */
async function filledStore(dir: string): Promise<void> {
  for (const half of [0, 1]) {
    await using store = await openStore(dir, log);
    const ops = Array.from({ length: 2000 }, (_, index) => {
      const seq = half * 2000 + index;
      // Text that does not compress, so that a flipped bit is one value's.
      return storedOp(seq, { text: `${seq} ${Buffer.from(`${Math.sin(seq)}`.repeat(20)).toString('hex')}` });
    });
    await store.append(ops);
  }
  await using _ = await openStore(dir, log);
}

test('damaged bytes are reported and skipped, and can be written again', async () => {
  await using dir = await tempDir();
  await filledStore(dir.path);
  const table = (await readdir(dir.path)).find((name) => name.endsWith('.ldb'));
  const path = join(dir.path, table ?? '');
  const bytes = await readFile(path);
  for (let at = 3000; at < 3040; at += 1) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  await writeFile(path, bytes);

  await using store = await openStore(dir.path, log);
  const reported: string[] = [];
  const left = await texts(store.all((key, reason) => reported.push(`${key}: ${reason}`)));
  expect(reported.length).toBeGreaterThan(0);
  expect(left.length).toBeLessThan(4000);
  expect(left.length).toBeGreaterThan(1500);
  await store.append([storedOp(1), storedOp(2)]);
  expect(await texts(store.range(author, epoch, 1, 2))).toHaveLength(2);
});

test('a store that lost its CURRENT file or its manifest is repaired at open', async () => {
  await using dir = await tempDir();
  await filledStore(dir.path);
  const lines: string[] = [];
  const ear = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });

  await rm(join(dir.path, 'CURRENT'));
  {
    await using store = await openStore(dir.path, ear);
    expect(await everything(store)).toHaveLength(4000);
  }
  const manifest = (await readdir(dir.path)).find((name) => name.startsWith('MANIFEST'));
  await writeFile(join(dir.path, manifest ?? ''), 'garbage');
  await using store = await openStore(dir.path, ear);
  expect(await everything(store)).toHaveLength(4000);
  expect(lines.filter((line) => line.includes('store repaired'))).toHaveLength(2);
});

test('all that was acknowledged is there after kill -9 in the middle of writes', async () => {
  await using dir = await tempDir();
  const acknowledged = new Set<number>();
  for (let round = 0; round < 5; round += 1) {
    const from = acknowledged.size === 0 ? 0 : Math.max(...acknowledged) + 1000;
    const child = spawn(process.execPath, [writer, dir.path, String(from)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout);
    const before = acknowledged.size;
    lines.on('line', (line) => acknowledged.add(Number(line)));
    // It holds the store for as long as it is there, which is longer than it has an open stdout.
    const ended = Promise.all([once(lines, 'close'), once(child, 'exit')]);
    await eventually(() => acknowledged.size > before + 10, { withinMs: 60_000, everyMs: 1 });
    await sleep(Math.random() * 150); // the moment of the kill is what varies
    child.kill('SIGKILL');
    await ended;
  }
  await using store = await openStore(dir.path, log);
  const found = new Set((await everything(store)).map((text) => Number(text.split(' ')[1])));
  expect(acknowledged.size).toBeGreaterThan(50);
  expect([...acknowledged].filter((seq) => !found.has(seq))).toEqual([]);
});

test('a disk that takes no more is said to be full, and nothing acknowledged is lost', async () => {
  await using dir = await tempDir();
  // A limit on file size stands in for a full disk: LevelDB meets the same kind of error.
  const command = `ulimit -f 600; exec "${process.execPath}" "${writer}" "${dir.path}" 0`;
  const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines: string[] = [];
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
  await Promise.all([once(reader, 'close'), once(child, 'exit')]);
  expect(lines.filter((line) => line.startsWith('failed'))).toContain('failed disk_full');

  await using store = await openStore(dir.path, log);
  const found = new Set((await everything(store)).map((text) => text.split(' ')[1]));
  expect(lines.filter((line) => !line.startsWith('failed') && !found.has(line))).toEqual([]);
});
