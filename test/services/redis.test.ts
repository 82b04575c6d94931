import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../addons/redis-process.ts';
import { eventually } from '../helpers/eventually.ts';
import { ServiceProcess } from './service-process.ts';

const WAIT = { withinMs: 60_000, everyMs: 50 };
let service: ServiceProcess;

beforeAll(async () => {
  service = await ServiceProcess.make('redis');
});
afterAll(() => service[Symbol.asyncDispose]());

function urlOf(password = service.password, port = service.port): string {
  return `redis://kith:${encodeURIComponent(password)}@127.0.0.1:${port}`;
}

function answers(port = service.port): Promise<unknown> {
  return eventually(() => send(urlOf(service.password, port), 'PING'), WAIT);
}

test('without a volume it says so, for its data would end with the dyno', async () => {
  service.unmount();
  expect(await service.failure()).toContain('There is no volume');
  service.mount();
});

test('an empty volume becomes a server that lets in only who has the password', async () => {
  service.start();
  await answers();
  await send(urlOf(), 'SET', 'ant', '1');
  await expect(send(urlOf('another'), 'PING')).rejects.toThrow(/WRONGPASS/);
  await expect(send(`redis://127.0.0.1:${service.port}`, 'PING')).rejects.toThrow(/NOAUTH/);
  expect(service.said).not.toContain(service.password);
  expect(readFileSync(join(service.volume, 'redis', 'users.acl'), 'utf8')).not.toContain(service.password);
});

test('a full server refuses what is new, and forgets nothing', async () => {
  const memory = String(await send(urlOf(), 'INFO', 'memory'));
  expect(memory).toContain('maxmemory_policy:noeviction');
  expect(memory).toContain(`maxmemory:${307 * 2 ** 20}`);
});

test('data and users outlive its end, and a changed password counts from the next start on', async () => {
  await send(urlOf(), 'ACL', 'SETUSER', 'guest', 'on', '>guest', '~*', '+get');
  await send(urlOf(), 'ACL', 'SAVE');
  expect(await service.stop()).toBe(0);
  const before = service.password;
  service.password = 'new';
  service.start();
  await answers();
  await expect(send(urlOf(before), 'PING')).rejects.toThrow(/WRONGPASS/);
  expect(await send(`redis://guest:guest@127.0.0.1:${service.port}`, 'GET', 'ant')).toBe('1');
});

test('what was written outlives a kill, and what is left of half copies goes', async () => {
  await send(urlOf(), 'SET', 'bee', '2');
  // While the disk is busy with what came before, it answers before it has handed on what is new.
  const isWritten = async (): Promise<boolean> =>
    String(await send(urlOf(), 'INFO', 'persistence')).includes('aof_buffer_length:0');
  await eventually(isWritten, WAIT);
  const half = join(service.volume, 'redis', 'temp-rewriteaof-7.aof');
  writeFileSync(half, 'half');
  await service.stop('SIGKILL');
  service.start();
  await answers();
  expect(await send(urlOf(), 'GET', 'bee')).toBe('2');
  expect(existsSync(half)).toBe(false);
});

test('a second one waits until the first has let go of the data', async () => {
  await using second = await ServiceProcess.make('redis');
  second.mountThatOf(service);
  second.start();
  await send(urlOf(), 'SET', 'cat', '3');
  expect(second.said).toBe('');
  expect(await service.stop()).toBe(0);
  await answers(second.port);
  expect(await send(urlOf(service.password, second.port), 'GET', 'cat')).toBe('3');
  expect(await second.stop()).toBe(0);
});
