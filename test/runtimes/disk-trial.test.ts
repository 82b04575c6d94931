import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import type { Engine } from '../../agent/lib/engine.ts';
import { isolationOf } from '../../agent/runtimes/docker/isolation.ts';

const NETWORK = { name: 'kith', bridge: 'kith0', gateway: '172.18.0.1', hasIpv6: false };
const INFO = { ServerVersion: '20.10', Driver: 'btrfs', DriverStatus: null, SecurityOptions: null };
const never = new Promise<never>(() => {});

type Trial = { readonly create?: () => Promise<void>; readonly remove?: () => Promise<void> };

/** The isolation of an Engine that is played, and what is said of it: its driver knows quotas. */
async function ask({ create, remove }: Trial) {
  const said: string[] = [];
  const container = { id: 'trial', remove: async () => await remove?.() };
  const engine = {
    info: async () => INFO,
    createContainer: async () => (await create?.(), container),
  } as unknown as Engine;
  const log = pino({}, { write: (line: string) => said.push(line) });
  const asked = { peer: 'p', image: 'kith/stack', dynoDiskMiB: 256, log };
  const { diskMiB } = await isolationOf(engine, NETWORK, asked);
  return { diskMiB, said };
}

async function refused(statusCode: number): Promise<never> {
  throw Object.assign(new Error('refused'), { statusCode });
}

afterEach(() => {
  vi.useRealTimers();
});

test('an Engine that makes a container with a quota has quotas, one that refuses has none', async () => {
  expect((await ask({})).diskMiB).toBe(256);
  expect((await ask({ create: () => refused(500) })).diskMiB).toBeNull();
});

test('a trial container that cannot be removed, or was removed by another, says nothing of quotas', async () => {
  const { diskMiB, said } = await ask({ remove: () => refused(500) });
  expect(diskMiB).toBe(256);
  expect(said).toEqual([expect.stringContaining('trial container not removed yet')]);
  expect(await ask({ remove: () => refused(404) })).toEqual({ diskMiB: 256, said: [] });
});

test('an Engine that answers no more is not waited for: neither when the container is made nor when it is removed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const making = expect(ask({ create: () => never })).rejects.toMatchObject({ code: 'timeout' });
  await vi.advanceTimersByTimeAsync(10_000);
  await making;
  const removing = ask({ remove: () => never });
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await removing).diskMiB).toBe(256);
});
