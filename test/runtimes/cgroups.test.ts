import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import {
  delegatedGroup,
  maySplit,
  ownGroup,
  parseMounts,
} from '../../agent/runtimes/process/cgroup-hierarchies.ts';
import { usageOf } from '../../agent/runtimes/process/cgroup-usage.ts';
import { Cgroups } from '../../agent/runtimes/process/cgroups.ts';
import { openProcessRuntime } from '../../agent/runtimes/process/process-runtime.ts';
import { type DynoSize } from '../../src/dyno-sizes.ts';
import type { SlugFiles } from '../../src/shell/slug-files.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Recorder } from './recorder.ts';
import { makeSlug } from './slug.ts';
import { dynoSpec } from './dyno-spec.ts';

const isRoot = process.getuid?.() === 0;
// A skipped test counts as a failed one: where no groups may be made these are not there.
const tried = await Cgroups.open(randomUUID(), isRoot);
await tried?.close();
const whereGroups: (name: string, run: () => Promise<void>) => void = tried === null ? () => {} : test;
const log = pino({ level: 'silent' });
const TINY: DynoSize = { name: 'Tiny', memoryMiB: 64, cpuShares: 2_048, processes: 48 };

test('the use of a group is read from files of either version', () => {
  const one = usageOf(1, {
    stat: 'cache 1\ntotal_cache 5242880\ntotal_rss 10485760\ntotal_shmem 2097152\ntotal_swap 1048576\n',
    swap: '',
    cpu: '2500000000\n',
    procs: '10\n11\n',
  });
  expect(one).toEqual({ rssMiB: 12, swapMiB: 1, cacheMiB: 3, cpuSeconds: 2.5, processes: 2 });
  const two = usageOf(2, {
    stat: 'anon 10485760\nfile 5242880\nshmem 2097152\n',
    swap: '1048576\n',
    cpu: 'usage_usec 2500000\nuser_usec 1\n',
    procs: '10\n',
  });
  expect(two).toEqual({ rssMiB: 12, swapMiB: 1, cacheMiB: 3, cpuSeconds: 2.5, processes: 1 });
});

test('the use of a group is read from what a kernel with version 2 alone tells', () => {
  // Linux 6.1 under systemd 252: 9 MB of heap, 3 MB in /dev/shm, 2 MB of a file just written; cut after the lines that count.
  const real = usageOf(2, {
    stat:
      'anon 13791232\nfile 5005312\nkernel 200704\nkernel_stack 0\npagetables 106496\nsec_pagetables 0\npercpu 0\n' +
      'sock 0\nvmalloc 0\nshmem 3002368\nzswap 0\nzswapped 0\nfile_mapped 0\n',
    swap: '0\n',
    cpu: 'usage_usec 370000\nuser_usec 349444\nsystem_usec 20555\nnr_periods 0\nnr_throttled 0\n',
    procs: '15501\n17996\n',
  });
  const MIB = 1024 * 1024;
  expect(real).toEqual({
    rssMiB: (13_791_232 + 3_002_368) / MIB,
    swapMiB: 0,
    cacheMiB: (5_005_312 - 3_002_368) / MIB,
    cpuSeconds: 0.37,
    processes: 2,
  });
});

test('mounts are read with their type and options', () => {
  const text = 'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\nnone /x tmpfs rw 0 0\n';
  expect(parseMounts(text)).toEqual([
    { path: '/sys/fs/cgroup/cpu,cpuacct', type: 'cgroup', options: ['rw', 'nosuid', 'cpu', 'cpuacct'] },
    { path: '/x', type: 'tmpfs', options: ['rw'] },
  ]);
  const two =
    'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0\n';
  expect(parseMounts(two)[0]).toMatchObject({ path: '/sys/fs/cgroup', type: 'cgroup2' });
});

test('groups of version 2 are made in the highest group that was delegated', async () => {
  await using temp = await tempDir('kith-cgroups-');
  // As below a user's own systemd: a group that is not delegated has no file that may be written.
  const manager = join(temp.path, 'user.slice/user-1000.slice/user@1000.service');
  const own = ownGroup(
    temp.path,
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/kith.service\n',
  );
  await mkdir(own, { recursive: true });
  expect(await delegatedGroup(temp.path, own)).toBeNull();
  for (const group of [own, dirname(own), manager]) await writeFile(join(group, 'cgroup.procs'), '');
  expect(await delegatedGroup(temp.path, own)).toBe(manager);
  await writeFile(join(temp.path, 'cgroup.procs'), '');
  expect(await delegatedGroup(temp.path, temp.path)).toBe(temp.path);
});

test('the group of a systemd service stays as it is, for systemd puts the next agent into it', () => {
  expect(maySplit('/sys/fs/cgroup/system.slice/kith.service')).toBe(false);
  expect(maySplit('/sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope')).toBe(true);
});

whereGroups('a group has the bounds of its size, and nothing is left once it is removed', async () => {
  const cgroups = await Cgroups.open(randomUUID(), isRoot);
  if (cgroups === null) throw new Error('The groups that were there are gone');
  const files = await cgroups.make('dyno', TINY);
  if (files.pidsMax !== null) expect(await readFile(files.pidsMax, 'utf8')).toBe('56\n');
  expect(cgroups.find('dyno')).toEqual(files);
  expect(cgroups.find('other')).toBeNull();
  expect(await cgroups.leftovers(new Set(['dyno']))).toEqual([]);
  expect(await cgroups.leftovers(new Set())).toEqual(['dyno']);
  await cgroups.close();
  for (const path of files.procs) expect(existsSync(dirname(dirname(path)))).toBe(false);
});

for (const bubblewrap of ['auto', 'off'] as const) {
  for (const cgroups of ['auto', 'off'] as const) {
    test(`a child that eats memory ends the whole dyno: bubblewrap ${bubblewrap}, groups ${cgroups}`, async () => {
      await using temp = await tempDir('kith-cgroups-');
      const runtime = await openProcessRuntime({ dir: `${temp.path}/data`, log, bubblewrap, cgroups });
      const events = new Recorder(runtime);
      const slug = await makeSlug(temp.path, { file: 'x' });
      const eat = `python3 -c 'import time\nx = []\nwhile True: x.append(b"x" * 8000000); time.sleep(0.02)'`;
      const dyno = dynoSpec(slug, `${eat} & wait; echo survived; sleep 1000`, { size: TINY });
      await runtime.start(dyno);
      expect(await events.exited(dyno.dyno, 60_000)).toMatchObject({ status: 137, outOfMemory: true });
      await runtime.shutdown();
    });
  }
}

whereGroups(
  'groups and files of dynos whose keeper was killed while no agent was there go at the next start',
  async () => {
    await using temp = await tempDir('kith-cgroups-');
    const dir = `${temp.path}/data`;
    const first = await openProcessRuntime({ dir, log });
    const events = new Recorder(first);
    const dyno = dynoSpec(await makeSlug(temp.path, { file: 'x' }), 'echo up; sleep 1000; true');
    await first.start(dyno);
    await events.line(dyno.dyno, 'up');
    const pid = keeperOf(dir);
    const group = await groupOf(dyno.dyno);
    await first[Symbol.asyncDispose]();
    process.kill(pid, 'SIGKILL');
    await eventually(() => readFileSync(`${group}/cgroup.procs`, 'utf8') === '');
    const second = await openProcessRuntime({ dir, log });
    await eventually(() => !existsSync(group));
    expect(await second.list(() => 0)).toEqual([]);
    await second.shutdown();
  },
);

test('a container image is refused with what it needs', async () => {
  await using temp = await tempDir('kith-cgroups-');
  const runtime = await openProcessRuntime({ dir: `${temp.path}/data`, log });
  const image: SlugFiles = { ...(await makeSlug(temp.path, { file: 'x' })), format: 'image' };
  const refusal = { code: 'unavailable', hint: expect.stringContaining('Docker') as string };
  await expect(runtime.start(dynoSpec(image, 'true'))).rejects.toMatchObject(refusal);
  await expect(runtime.prepare(image)).rejects.toMatchObject(refusal);
  await runtime.shutdown();
});

function keeperOf(dir: string): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => commandLine(pid).includes(`${dir}/keeper/keeper.sock`));
  if (found === undefined) throw new Error(`No keeper of ${dir}`);
  return Number(found);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The folder of a dyno's group that bounds its processes. */
async function groupOf(dyno: string): Promise<string> {
  return await eventually(() => {
    const mounts = parseMounts(readFileSync('/proc/mounts', 'utf8'));
    const groups = mounts.filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
    const peers = groups.flatMap(({ path }) =>
      readdirSync(path)
        .filter((name) => name.startsWith('kith-'))
        .map((name) => `${path}/${name}/${dyno}`),
    );
    return peers.find((path) => existsSync(path));
  });
}
