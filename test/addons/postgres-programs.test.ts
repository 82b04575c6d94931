import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { dumpDatabase, restoreDatabase } from '../../agent/addons/postgres-programs.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { PostgresProcess, query } from './postgres-process.ts';

/** The tests have deadlines of their own. */
const { signal } = new AbortController();
let server: PostgresProcess;

beforeAll(async () => {
  server = await PostgresProcess.start();
  await query(server.url, 'CREATE DATABASE a');
  await query(server.url, 'CREATE DATABASE b');
  await query(
    database('a').href,
    `CREATE TABLE t AS SELECT g, md5(g::text) AS m FROM generate_series(1, 60000) g`,
  );
}, 120_000);
afterAll(() => server[Symbol.asyncDispose]());

function database(name: string): URL {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 50_000) yield bytes.subarray(from, from + 50_000);
}

test('a dump of megabytes comes back, in pieces, in another database', async () => {
  const dump = await collect(await dumpDatabase(database('a'), signal));
  for (let round = 0; round < 2; round += 1) await restoreDatabase(database('b'), inPieces(dump), signal);
  expect(await query(database('b').href, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 60_000 }]);
});

test('whoever stops reading ends the program, and a signal ends it too', async () => {
  for await (const chunk of await dumpDatabase(database('a'), signal)) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  const over = new AbortController();
  const rest = await dumpDatabase(database('a'), over.signal);
  over.abort();
  await expect(collect(rest)).rejects.toThrow(/abort/i);
  await expect(restoreDatabase(database('b'), inPieces(Buffer.alloc(10)), over.signal)).rejects.toThrow(
    /abort/i,
  );
});

test('so many programs run at a time, and the next is asked to come later', async () => {
  const over = new AbortController();
  const open = await Promise.all(Array.from({ length: 8 }, () => dumpDatabase(database('a'), over.signal)));
  await expect(dumpDatabase(database('a'), signal)).rejects.toMatchObject({ code: 'rate_limit' });
  over.abort();
  await Promise.allSettled(open.map(collect));
  await expect(collect(await dumpDatabase(database('a'), signal))).resolves.toBeInstanceOf(Buffer);
});

test('a wrong password is told in the words of the server, without the password', async () => {
  const url = database('a');
  url.password = 'guess';
  const refused = expect(dumpDatabase(url, signal)).rejects;
  await refused.toThrow(/^(?!.*guess).*password authentication failed/s);
});

test('where a program is missing, or too old for the server, the host that needs it is told', async () => {
  const dir = await tempDir();
  onTestFinished(() => dir[Symbol.asyncDispose]());
  vi.stubEnv('PATH', dir.path);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(dumpDatabase(database('a'), signal)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'This peer needs the program "pg_dump": it is not installed',
  });
  await expect(restoreDatabase(database('a'), inPieces(Buffer.alloc(10)), signal)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'This peer needs the program "pg_restore": it is not installed',
  });
  const said = 'pg_dump: error: aborting because of server version mismatch';
  writeFileSync(join(dir.path, 'pg_dump'), `#!/bin/sh\necho '${said}' >&2\nexit 1\n`);
  chmodSync(join(dir.path, 'pg_dump'), 0o755);
  await expect(dumpDatabase(database('a'), signal)).rejects.toMatchObject({
    code: 'unavailable',
    message: `pg_dump of this peer is too old: ${said}`,
  });
});
