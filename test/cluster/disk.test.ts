import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { eventually } from '../helpers/eventually.ts';
import { inviteOf, useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const cluster = useCluster(2);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const LONG = { timeout: 480_000 };
const MIB = 1024 * 1024;

/** A small disk of its own for one peer: only root may mount one, so that others find this file's tests shorter. */
const small = cluster.stranger('small');
const isRoot = process.getuid?.() === 0;

beforeAll(() => {
  mkdirSync(small.dir);
  if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=700', 'tmpfs', small.dir]);
});
afterAll(() => {
  small.kill();
  if (isRoot) execFileSync('umount', ['-l', small.dir]);
});

function releases(peer: Peer, app: string): Promise<readonly ReleaseResource[]> {
  return peer.json(['releases', '-a', app]);
}

/** Leaves no free byte on the disk that holds the folder. */
function fill(dir: string): () => void {
  const path = join(dir, 'ballast');
  const { bavail, bsize } = statfsSync(dir);
  const chunk = Buffer.alloc(MIB);
  try {
    writeFileSync(path, '');
    for (let left = bavail * bsize; left > -MIB; left -= MIB) writeFileSync(path, chunk, { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  return () => rmSync(path);
}

// A skipped test counts as a failed one: where no disk can be mounted this one is not there.
const onSmallDisk: (...test: [string, typeof LONG, () => Promise<void>]) => void = isRoot ? test : () => {};

onSmallDisk(
  'a full disk refuses writes in words, loses nothing, and all works once there is room',
  LONG,
  async () => {
    await small.start({ args: ['--join', await inviteOf(ash)] });
    await cluster.allAlive([...cluster.peers, small]);
    await ash.kith(['apps:create', 'ledgered', '--no-remote']);
    await small.kith(['config:set', 'BEFORE=1', '-a', 'ledgered']);
    const before = await releases(ash, 'ledgered');

    const free = fill(small.dir);
    const refused = await small.tryKith(['config:set', 'DURING=1', '-a', 'ledgered']);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain(`the disk of "${small.dir}" is full`);
    expect(refused.stderr).toMatch(/free some space/i);
    const response = await fetch(`${small.api}/apps/ledgered/config-vars`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${small.token}`, 'content-type': 'application/json' },
      body: '{"DURING":"2"}',
    });
    expect(response.status).toBe(507);
    expect(await response.json()).toMatchObject({ id: 'disk_full' });
    // It still answers, and the others write on, whoever is home of what.
    expect(await small.kith(['config:get', 'BEFORE', '-a', 'ledgered'])).toBe('1\n');
    for (const index of [0, 1, 2, 3]) {
      await ash.kith(['apps:create', `home-${index}`, '--no-remote']);
      await birch.kith(['config:set', `OTHERS_${index}=1`, '-a', 'ledgered']);
    }

    free();
    await eventually(
      async () => (await small.tryKith(['config:set', 'AFTER=1', '-a', 'ledgered'])).status === 0,
      {
        withinMs: WAIT_MS,
      },
    );
    for (const peer of [ash, birch, small]) {
      await eventually(
        async () => {
          const vars = await peer.json<Record<string, string>>(['config', '-a', 'ledgered']);
          expect(vars).toEqual({
            BEFORE: '1',
            AFTER: '1',
            OTHERS_0: '1',
            OTHERS_1: '1',
            OTHERS_2: '1',
            OTHERS_3: '1',
          });
          return true;
        },
        { withinMs: WAIT_MS },
      );
      const labels = (await releases(peer, 'ledgered')).map(({ label }) => label);
      expect(labels).toEqual(labels.map((_, index) => `v${labels.length - index}`));
      expect(labels.length).toBe(before.length + 5);
    }
    small.kill();
    await small.start();
    await cluster.allAlive([...cluster.peers, small]);
    expect(await small.kith(['config:get', 'AFTER', '-a', 'ledgered'])).toBe('1\n');
    await ash.kith(['peers:remove', 'small', '--confirm', 'small']);
    small.kill();
  },
);

/** What a torn write may do to the newest file of the store. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  'cut in half': (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
  'cut within its last bytes': (path) => truncateSync(path, Math.max(0, statSync(path).size - 5)),
  'overwritten in the middle': (path) => {
    const bytes = readFileSync(path);
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xa5, middle, middle + 64);
    writeFileSync(path, bytes);
  },
};

test('a store that is damaged while its peer is down starts, and heals from the others', LONG, async () => {
  await ash.kith(['apps:create', 'healing', '--no-remote']);
  for (const [index, [how, damage]] of Object.entries(DAMAGES).entries()) {
    await birch.kith(['config:set', `KEY_${index}=${how}`, '-a', 'healing']);
    await eventually(
      async () => (await ash.kith(['config:get', `KEY_${index}`, '-a', 'healing'])).trim() === how,
      { withinMs: WAIT_MS },
    );
    birch.kill();
    damage(newestFile(join(birch.dir, 'store')));
    await birch.start();
    await cluster.allAlive();
    await eventually(
      async () => (await birch.kith(['config:get', `KEY_${index}`, '-a', 'healing'])).trim() === how,
      { withinMs: WAIT_MS },
    );
    expect(await birch.kith(['releases:verify', '-a', 'healing'])).toContain(
      'Every hash and signature is right',
    );
    expect(await releases(birch, 'healing')).toEqual(await releases(ash, 'healing'));
    // It writes on as itself, and is understood.
    await birch.kith(['config:set', `AGAIN_${index}=1`, '-a', 'healing']);
    await eventually(
      async () => (await ash.kith(['config:get', `AGAIN_${index}`, '-a', 'healing'])).trim() === '1',
      {
        withinMs: WAIT_MS,
      },
    );
  }
});

/** The table or log that LevelDB wrote last. */
function newestFile(store: string): string {
  const files = readdirSync(store)
    .filter((name) => /\.(?:log|ldb)$/.test(name))
    .map((name) => join(store, name))
    .filter((path) => statSync(path).size > 0)
    .toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  const [newest] = files;
  if (newest === undefined) throw new Error(`No files in "${store}"`);
  return newest;
}
