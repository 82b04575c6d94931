import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressHere } from '../../agent/addons/address-here.ts';
import { Redis } from '../../agent/addons/redis.ts';
import type { AddonId } from '../../src/ids.ts';
import { freePort } from '../helpers/free-port.ts';
import { RedisProcess, send } from './redis-process.ts';

/** The tests have deadlines of their own. */
const { signal } = new AbortController();
let server: RedisProcess;

beforeAll(async () => {
  server = await RedisProcess.start();
}, 120_000);
afterAll(() => server[Symbol.asyncDispose]());

const newId = (): AddonId => randomUUID() as AddonId;
const secretFor = (addon: AddonId, generation: string): string => `${addon}-secret-${generation}`;
const on = (url: string): Redis => new Redis(() => ({ server: url }), secretFor, addressHere('127.0.0.1'));

async function made(provider: Redis, uuid: AddonId): Promise<string> {
  return (await provider.provision({ uuid }, signal)).config.REDIS_URL;
}

test('provisioning twice, or at once by two peers, gives one database that works', async () => {
  const [uuid, provider] = [newId(), on(server.url)];
  const [first, second] = await Promise.all([made(provider, uuid), made(provider, uuid)]);
  expect(first).toBe(second);
  await send(first, 'SET', 'cat', 'Tom');
  expect(await made(provider, uuid)).toBe(first);
  expect(await send(first, 'GET', 'cat')).toBe('Tom');
  expect(await provider.provision({ uuid }, signal)).toMatchObject({ message: null });
  await provider.deprovision({ uuid }, signal);
});

test('an add-on may use no database but its own, nor reach beyond it', async () => {
  const provider = on(server.url);
  const [mine, other] = [newId(), newId()];
  const [url, theirs] = [await made(provider, mine), await made(provider, other)];
  await send(theirs, 'SET', 'secret', 'theirs');
  for (const database of ['1', new URL(theirs).pathname.slice(1)]) {
    await expect(send(url, 'SELECT', database)).rejects.toThrow(/NOPERM/);
  }
  const own = new URL(url).pathname.slice(1);
  const number = new URL(theirs).pathname.slice(1);
  const refused = [
    ['FLUSHALL'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['MONITOR'],
    ['SHUTDOWN'],
    ['CLIENT', 'LIST'],
    ['CLIENT', 'TRACKING', 'on', 'BCAST'],
    ['FUNCTION', 'FLUSH'],
    ['SCRIPT', 'FLUSH'],
    ['SCRIPT', 'DEBUG', 'SYNC'],
    ['SLOWLOG', 'GET'],
    ['MOVE', 'secret', number],
    ['SWAPDB', own, number],
    ['COPY', 'a', 'b', 'DB', number],
    ['MIGRATE', '127.0.0.1', '1', 'a', '0', '10'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['MODULE', 'LIST'],
    ['SAVE'],
  ];
  for (const words of refused) await expect(send(url, ...words), words.join(' ')).rejects.toThrow(/NOPERM/);
  const script = `return redis.pcall('SELECT', ${number})`;
  await expect(send(url, 'EVAL', script, '0')).rejects.toThrow(/can't run this command/);
  expect(await send(url, 'EVAL', `return redis.call('SET', KEYS[1], 'x')`, '1', 'mine')).toBe('OK');
  expect(await send(url, 'KEYS', '*')).toEqual(['mine']);
  await send(url, 'FLUSHDB');
  expect(await send(theirs, 'GET', 'secret')).toBe('theirs');
  for (const uuid of [mine, other]) await provider.deprovision({ uuid }, signal);
});

test('old credentials work until they are ended, and the data is there for the new ones', async () => {
  const [uuid, provider] = [newId(), on(server.url)];
  const before = await made(provider, uuid);
  await send(before, 'SET', 'cat', 'Tom');
  const rotation = { uuid, config: { REDIS_URL: before }, generation: '7' };
  const config = await provider.rotate(rotation, signal);
  const after = config['REDIS_URL'] ?? '';
  expect(after).not.toBe(before);
  expect(await provider.rotate(rotation, signal)).toEqual(config);
  expect(await send(before, 'GET', 'cat')).toBe('Tom');
  expect(await send(after, 'GET', 'cat')).toBe('Tom');

  const open = createClient({ url: before, socket: { reconnectStrategy: false } });
  const ended = new Promise((resolve) => open.on('error', resolve));
  await open.connect();
  await provider.endOthers({ uuid, config }, signal);
  await provider.endOthers({ uuid, config }, signal);
  await ended;
  await expect(send(before, 'PING')).rejects.toThrow(/WRONGPASS/);
  expect(await send(after, 'GET', 'cat')).toBe('Tom');
  await provider.endOthers({ uuid, config: {} }, signal);
  expect(await send(after, 'PING')).toBe('PONG');
  await provider.deprovision({ uuid }, signal);
});

test('deprovisioning leaves neither user nor data, and twice is fine', async () => {
  const [uuid, provider] = [newId(), on(server.url)];
  const url = await made(provider, uuid);
  await send(url, 'SET', 'cat', 'Tom');
  await provider.deprovision({ uuid }, signal);
  await provider.deprovision({ uuid }, signal);
  await expect(send(url, 'PING')).rejects.toThrow(/WRONGPASS/);
  expect(await send(`${server.url}${new URL(url).pathname}`, 'DBSIZE')).toBe(0);
});

test('many who ask at once get a database each, and when all are taken the next is told so', async () => {
  // Of its own: here it counts who has which.
  await using own = await RedisProcess.start();
  const provider = on(own.url);
  await send(`${own.url}/5`, 'SET', 'of', 'somebody else');
  const ids = Array.from({ length: 13 }, newId);
  const urls = await Promise.all(ids.map((uuid) => made(provider, uuid)));
  const databases = new Set(urls.map((url) => new URL(url).pathname));
  expect(databases.size).toBe(13);
  expect(databases.has('/5')).toBe(false);
  await expect(made(provider, newId())).rejects.toMatchObject({
    code: 'invalid_params',
    message: 'The Redis server has no free database: it has 16, of which add-ons can have 14',
  });
  await provider.deprovision({ uuid: ids[0] ?? newId() }, signal);
  expect(new URL(await made(provider, newId())).pathname).toBe(new URL(urls[0] ?? '').pathname);
});

test('users outlive a restart of the server, and so does who has which database', async () => {
  await using own = await RedisProcess.start();
  const [uuid, provider] = [newId(), on(own.url)];
  const url = await made(provider, uuid);
  await own.stop();
  await expect(made(provider, uuid)).rejects.toMatchObject({ code: 'unavailable' });
  await own.up();
  expect(await send(url, 'PING')).toBe('PONG');
  expect(new URL(await made(provider, newId())).pathname).not.toBe(new URL(url).pathname);
  expect(await made(provider, uuid)).toBe(url);
});

test('without a server, or with a wrong one, it says so and tells no password', async () => {
  const none = new Redis(() => ({}), secretFor, addressHere('127.0.0.1'));
  await expect(made(none, newId())).rejects.toMatchObject({
    code: 'invalid_params',
    hint: expect.stringContaining('kith providers:run kith-redis') as unknown,
  });
  await expect(made(on('nonsense'), newId())).rejects.toMatchObject({ code: 'invalid_params' });
  const wrong = await failure(on(`redis://:guess@127.0.0.1:${server.port}`));
  expect(wrong).toMatchObject({ code: 'invalid_params' });
  expect(wrong.message).toMatch(/WRONGPASS/);
  const down = await failure(on(`redis://:guess@127.0.0.1:${await freePort()}`));
  expect(down).toMatchObject({ code: 'unavailable' });
  for (const { message, stack } of [wrong, down]) expect(`${message}${stack}`).not.toContain('guess');
});

async function failure(provider: Redis): Promise<Error> {
  return made(provider, newId()).then(
    () => {
      throw new Error('It worked');
    },
    (error: unknown) => error as Error,
  );
}
