import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { eventually } from '../helpers/eventually.ts';
import { filesWith } from '../helpers/files-with.ts';
import { deploy, formationMet, writeApp } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');
const LONG = { timeout: 480_000 };
const WITHIN = { withinMs: WAIT_MS };
const SECRET = 'correct-horse-battery-staple';

function releases(peer: Peer, app: string): Promise<readonly ReleaseResource[]> {
  return peer.json(['releases', '-a', app]);
}

test('what is written at one peer is read at the next at once', LONG, async () => {
  await ash.kith(['apps:create', 'notes', '--no-remote']);
  await eventually(async () => (await birch.kith(['apps'])).includes('notes'), WITHIN);
  for (const [index, writer] of [birch, cedar, ash, cedar, birch].entries()) {
    await writer.kith(['config:set', `STEP=${index}`, `FROM_${index}=${writer.name}`, '-a', 'notes']);
    // Read your writes, here and now; the others within the time that a CLI takes to start.
    expect(await writer.kith(['config:get', 'STEP', '-a', 'notes'])).toBe(`${index}\n`);
    for (const reader of cluster.peers) {
      await eventually(
        async () => (await reader.kith(['config:get', 'STEP', '-a', 'notes'])) === `${index}\n`,
        WITHIN,
      );
    }
  }
  await ash.kith(['config:unset', 'FROM_0', 'FROM_1', '-a', 'notes']);
  await eventually(async () => !(await cedar.kith(['config', '-a', 'notes'])).includes('FROM_0'), WITHIN);
  expect((await birch.tryKith(['config:get', 'FROM_0', '-a', 'notes'])).stdout.trim()).toBe('');
  const found = await cedar.json<Record<string, string>>(['config', '-a', 'notes']);
  expect(found).toEqual({ STEP: '4', FROM_2: 'ash', FROM_3: 'cedar', FROM_4: 'birch' });
});

test('an app name is given once, whichever peers are asked at the same time', LONG, async () => {
  await cluster.allAlive();
  const tries = await Promise.all(
    cluster.peers.map((peer) => peer.tryKith(['apps:create', 'unique', '--no-remote'])),
  );
  expect(tries.map(({ status }) => (status === 0 ? 'made' : 'refused')).toSorted()).toEqual([
    'made',
    'refused',
    'refused',
  ]);
  expect(tries.find(({ status }) => status !== 0)?.stderr).toMatch(/taken/);
});

test('a request that is repeated at another peer is the same write there', LONG, async () => {
  await ash.kith(['apps:create', 'again', '--no-remote']);
  await eventually(async () => (await cedar.kith(['apps'])).includes('again'), WITHIN);
  const ask = async (peer: Peer, request: string, method: string, path: string, body?: object) => {
    const response = await fetch(`${peer.api}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ash.token}`,
        'content-type': 'application/json',
        'request-id': request,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { readonly id?: string; readonly hostname?: string };
    return { status: response.status, id: answer.id };
  };
  const domain = { hostname: 'again.example.com' };
  const made = await ask(ash, 'add-a-domain', 'POST', '/apps/again/domains', domain);
  expect(made.status).toBe(201);
  const known = async (peer: Peer): Promise<boolean> =>
    (await peer.kith(['domains', '-a', 'again'])).includes(domain.hostname);
  for (const peer of [birch, cedar]) {
    await eventually(() => known(peer), WITHIN);
    expect(await ask(peer, 'add-a-domain', 'POST', '/apps/again/domains', domain)).toEqual(made);
  }
  expect((await ask(birch, 'add-it-twice', 'POST', '/apps/again/domains', domain)).status).toBe(422);
  const path = `/apps/again/domains/${domain.hostname}`;
  expect((await ask(birch, 'remove-it', 'DELETE', path)).status).toBe(200);
  await eventually(async () => !(await known(cedar)), WITHIN);
  expect((await ask(cedar, 'remove-it', 'DELETE', path)).status).toBe(200);
  expect((await ask(cedar, 'remove-it-twice', 'DELETE', path)).status).toBe(404);
});

test('releases made at all peers at the same time get numbers without gaps or doubles', LONG, async () => {
  await ash.kith(['apps:create', 'busy', '--no-remote']);
  await eventually(async () => (await cedar.kith(['apps'])).includes('busy'), WITHIN);
  const before = (await releases(ash, 'busy')).length;
  await cluster.allAlive();
  await Promise.all(
    Array.from({ length: 9 }, (_, index) =>
      (cluster.peers[index % 3] ?? ash).kith(['config:set', `KEY_${index}=1`, '-a', 'busy']),
    ),
  );
  const expected = Array.from({ length: before + 9 }, (_, index) => `v${before + 9 - index}`);
  for (const peer of cluster.peers) {
    await eventually(async () => (await releases(peer, 'busy')).length === before + 9, { withinMs: WAIT_MS });
    expect((await releases(peer, 'busy')).map(({ label }) => label)).toEqual(expected);
  }
});

test(
  'rollback at another peer brings code and config back under a new number, and all verify',
  LONG,
  async () => {
    await deploy(ash, 'rolls', writeApp(join(cluster.dir, 'rolls'), 'one'));
    await birch.kith(['config:set', 'GREETING=hello', '-a', 'rolls']);
    const good = (await releases(birch, 'rolls'))[0];
    await deploy(birch, 'rolls', writeApp(join(cluster.dir, 'rolls'), 'two'));
    await cedar.kith(['config:set', 'GREETING=bye', '-a', 'rolls']);
    await eventually(async () => (await ash.request('rolls')).body === 'two web.1 bye', {
      withinMs: WAIT_MS,
    });

    await cedar.kith(['rollback', good?.label ?? '', '-a', 'rolls']);
    for (const peer of cluster.peers) {
      await eventually(async () => (await peer.request('rolls')).body === 'one web.1 hello', {
        withinMs: WAIT_MS,
      });
      await eventually(
        async () => (await releases(peer, 'rolls'))[0]?.description.startsWith('Rollback to'),
        WITHIN,
      );
      const all = await releases(peer, 'rolls');
      expect(all.map(({ version }) => version)).toEqual(all.map((_, index) => all.length - index));
      expect(all.filter(({ current }) => current).map(({ label }) => label)).toEqual([all[0]?.label]);
      expect(await peer.kith(['releases:verify', '-a', 'rolls'])).toContain(
        'Every hash and signature is right',
      );
    }
    expect(await ash.kith(['releases:info', good?.label ?? '', '-a', 'rolls'])).toContain('hello');
    await formationMet(ash, 'rolls', 1);
  },
);

test('a rollback to what never was is refused and changes nothing', async () => {
  const before = await releases(ash, 'notes');
  expect((await ash.tryKith(['rollback', 'v99', '-a', 'notes'])).stderr).toContain('v99');
  expect((await ash.tryKith(['rollback', 'v1', '-a', 'notes'])).status).not.toBe(0);
  expect((await releases(ash, 'notes')).length).toBe(before.length);
});

test('config values are never in clear in the folder of any peer', LONG, async () => {
  await deploy(ash, 'sealed', writeApp(join(cluster.dir, 'sealed')));
  await ash.kith(['config:set', `GREETING=${SECRET}`, '-a', 'sealed']);
  for (const peer of cluster.peers) {
    await eventually(async () => (await peer.request('sealed')).body.endsWith(SECRET), { withinMs: WAIT_MS });
    expect(await peer.kith(['config:get', 'GREETING', '-a', 'sealed'])).toBe(`${SECRET}\n`);
  }
  await ash.kith(['logs', '-n', '100', '-a', 'sealed']);
  for (const peer of cluster.peers) {
    // The names of config vars are no secret: finding them shows that we look in the right places.
    expect(filesWith(peer.dir, 'GREETING')).not.toEqual([]);
    expect(filesWith(peer.dir, SECRET)).toEqual([]);
    expect(readFileSync(`${peer.dir}.log`).includes(SECRET)).toBe(false);
  }
});

test('a destroyed app is gone everywhere, its name free, its dynos ended', LONG, async () => {
  await deploy(ash, 'passing', writeApp(join(cluster.dir, 'passing')));
  await formationMet(birch, 'passing', 1);
  expect((await cedar.tryKith(['apps:destroy', 'passing', '--confirm', 'other'])).status).not.toBe(0);
  await cedar.kith(['apps:destroy', 'passing', '--confirm', 'passing']);
  for (const peer of cluster.peers) {
    await eventually(async () => !(await peer.kith(['apps'])).includes('passing'), WITHIN);
    await eventually(async () => (await peer.request('passing')).status === 404, { withinMs: WAIT_MS });
  }
  await birch.kith(['apps:create', 'passing', '--no-remote']);
  expect(await birch.json<Record<string, string>>(['config', '-a', 'passing'])).toEqual({});
});

test(
  'releases made on two sides that could not meet are merged, and none is lost or renumbered',
  LONG,
  async () => {
    await ash.kith(['apps:create', 'forked', '--no-remote']);
    await ash.kith(['config:set', 'BOTH=1', '-a', 'forked']);
    await eventually(
      async () => (await birch.kith(['config:get', 'BOTH', '-a', 'forked'])) === '1\n',
      WITHIN,
    );
    const common = (await releases(ash, 'forked')).length;
    cluster.killAll();
    await ash.start();
    await ash.kith(['config:set', 'LEFT=1', '-a', 'forked']);
    const left = (await releases(ash, 'forked'))[0];
    ash.kill();
    await birch.start();
    await birch.kith(['config:set', 'RIGHT=1', '-a', 'forked']);
    const right = (await releases(birch, 'forked'))[0];
    await Promise.all([ash.start(), cedar.start()]);
    await cluster.allAlive();
    for (const peer of cluster.peers) {
      await eventually(async () => (await releases(peer, 'forked')).length === common + 3, {
        withinMs: WAIT_MS,
      });
      const [merge, ...earlier] = await releases(peer, 'forked');
      expect(merge).toMatchObject({ version: common + 2, current: true });
      expect(merge?.description).toMatch(/^Merge v\d+\.\w+ and v\d+\.\w+$/);
      expect(earlier.map(({ id }) => id)).toEqual(expect.arrayContaining([left?.id, right?.id]));
      for (const { label } of earlier.slice(0, 2)) {
        expect(label).toMatch(new RegExp(`^v${common + 1}\\.`));
        expect(merge?.description).toContain(label);
      }
      const vars = await peer.json<Record<string, string>>(['config', '-a', 'forked']);
      expect(vars).toEqual({ BOTH: '1', LEFT: '1', RIGHT: '1' });
      expect(await peer.kith(['releases:verify', '-a', 'forked'])).toContain(
        'Every hash and signature is right',
      );
    }
    expect(await releases(cedar, 'forked')).toEqual(await releases(birch, 'forked'));
  },
);
