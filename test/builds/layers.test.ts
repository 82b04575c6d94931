import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLayerWish } from '../../agent/builds/layer-wish.ts';
import type { Sandbox } from '../../agent/builds/sandbox.ts';
import type { PeerId } from '../../src/ids.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { MemoryMesh } from '../slugs/memory-mesh.ts';
import { openBuildPeer, writeFiles, type BuildPeer, type Files } from './build-peer.ts';

// A buildpack of "ours" whose layer says what it was made of, and how often.
const PACKS: Files = {
  'lib/output.sh': '',
  'nodejs/bin/detect': '#!/bin/sh\necho Layered',
  'nodejs/bin/layers': '#!/bin/sh\necho "asking for a layer" >&2\necho ".kith/rt $(cat "$1/version")"',
  'nodejs/bin/make-layer': `#!/bin/sh
    echo "making $1; cached: $(ls "$3")"
    mkdir "$2/bin"; echo "I am $1" >"$2/bin/rt"; chmod 700 "$2/bin/rt"`,
  'nodejs/bin/compile': `#!/bin/sh
    cat "$1/.kith/rt/bin/rt"
    { echo poison >"$1/.kith/rt/bin/rt"; echo poison >"$1/.kith/rt/more"; } 2>/dev/null
    echo own >"$1/.kith/own"`,
};
const APP: Files = { Procfile: 'web: x', version: 'rt-1' };

async function openLayeredPeer(dir: string, sandbox?: Sandbox): Promise<BuildPeer> {
  await writeFiles(dir, PACKS);
  return await openBuildPeer({ buildpacksDir: dir, ...(sandbox === undefined ? {} : { sandbox }) });
}

test('a layer is made once, lies under the slugs of all apps, and is in none of them', async () => {
  await using packs = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  const [one, two] = [peer.host.createApp('one'), peer.host.createApp('two')];
  const first = await peer.build(one, APP);
  expect(first.output).toContain('asking for a layer\nmaking rt-1; cached: \nI am rt-1\n');
  const second = await peer.build(two, APP);
  expect(second.output).not.toContain('making');
  const slug = peer.host.current(one.id).slug;
  expect(slug?.layers).toHaveLength(1);
  expect(slug?.arch).toBe('any');
  expect(peer.host.current(two.id).slug).toEqual({ ...slug, source: null });
  const root = await peer.slug(two);
  expect((await readdir(join(root, '.kith'))).sort()).toEqual(['own', 'rt']);
  expect(await readdir(join(root, '.kith/rt'))).toEqual(['bin']);
});

test('what a build does to its layer reaches no other build and no slug', async () => {
  await using packs = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  const app = peer.host.createApp('one');
  await peer.build(app, APP);
  expect((await peer.build(app, APP)).output).toContain('I am rt-1\n');
  expect(await readFile(join(await peer.slug(app), '.kith/rt/bin/rt'), 'utf8')).toBe('I am rt-1\n');
});

test('without bubblewrap a build gets a copy of its layer, which is in no slug either', async () => {
  await using packs = await tempDir();
  const uid = process.getuid?.() === 0 ? 65_534 : null;
  await using peer = await openLayeredPeer(packs.path, { kind: 'none', uid });
  const hash = createHash('sha256').update(peer.dir).digest('hex').slice(0, 16);
  await using _ = {
    [Symbol.asyncDispose]: () => rm(`/var/tmp/kith-builds-${hash}`, { recursive: true, force: true }),
  };
  const app = peer.host.createApp('one');
  for (let round = 0; round < 2; round += 1) {
    const { output } = await peer.build(app, APP);
    expect(output).toContain('I am rt-1\n');
    const root = await peer.slug(app);
    expect(await readdir(join(root, '.kith/rt'))).toEqual(['bin']);
    expect(await readFile(join(root, '.kith/rt/bin/rt'), 'utf8')).toBe('I am rt-1\n');
  }
});

test('another key is another layer', async () => {
  await using packs = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  const app = peer.host.createApp('one');
  await peer.build(app, APP);
  const before = peer.host.current(app.id).slug?.layers;
  expect((await peer.build(app, { ...APP, version: 'rt-2' })).output).toContain('I am rt-2\n');
  expect(peer.host.current(app.id).slug?.layers).not.toEqual(before);
});

test('a layer whose blob was collected is packed again, to the same bytes', async () => {
  await using packs = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  const app = peer.host.createApp('one');
  await peer.build(app, APP);
  const layers = peer.host.current(app.id).slug?.layers ?? [];
  for (const { id } of layers) await peer.blobs.remove(id);
  expect((await peer.build(app, APP)).output).not.toContain('making');
  expect(peer.host.current(app.id).slug?.layers).toEqual(layers);
  for (const { id } of layers) expect(peer.blobs.has(id)).toBe(true);
});

test('after the host has booted, a tree is unpacked from its blob: its files may be torn', async () => {
  await using packs = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  const app = peer.host.createApp('one');
  await peer.build(app, APP);
  const [root = ''] = (await readdir(peer.dir, { recursive: true })).filter((path) =>
    path.endsWith('rt@rt-1'),
  );
  const at = (name: string): string => join(peer.dir, root, name);
  const record = JSON.parse(await readFile(at('record'), 'utf8')) as object;
  await writeFile(at('record'), JSON.stringify({ ...record, boot: 'an earlier one' }));
  await writeFile(at('app/.kith/rt/bin/rt'), '');
  const { output } = await peer.build(app, APP);
  expect(output).toContain('I am rt-1\n');
  expect(output).not.toContain('making');
});

test('a link where a layer goes is refused, and leads nowhere', async () => {
  await using packs = await tempDir();
  await using elsewhere = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  await writeFiles(packs.path, {
    'nodejs/bin/compile': `#!/bin/sh\nmv "$1/.kith" "$1/gone"; ln -s ${elsewhere.path} "$1/.kith"`,
  });
  const app = peer.host.createApp('one');
  const { outcome, output } = await peer.build(app, APP);
  expect(outcome.status).toBe('failed');
  expect(output).toContain('Cannot use ".kith" of the app: it is no folder');
  expect(await readdir(elsewhere.path)).toEqual([]);
});

test('a layer that cannot be made ends the build with what was said', async () => {
  await using packs = await tempDir();
  await using peer = await openLayeredPeer(packs.path);
  await writeFiles(packs.path, { 'nodejs/bin/make-layer': '#!/bin/sh\necho "no network"\nexit 1' });
  const app = peer.host.createApp('one');
  const { output } = await peer.build(app, APP);
  expect(output).toContain('no network\n !     Push rejected, "rt-1" could not be made for .kith/rt.\n');
});

test('a layer has copies on other peers before the release', async () => {
  await using packs = await tempDir();
  await writeFiles(packs.path, PACKS);
  const mesh = new MemoryMesh();
  await using other = await openBuildPeer({}, mesh, 'b');
  await using peer = await openBuildPeer(
    { buildpacksDir: packs.path, peersForReplication: () => ['b' as PeerId] },
    mesh,
  );
  const app = peer.host.createApp('one');
  expect((await peer.build(app, APP)).output).toContain('2 peers hold the slug');
  const slug = peer.host.current(app.id).slug!;
  for (const { id } of [...slug.layers!, slug]) expect(other.blobs.has(id)).toBe(true);
});

test('a layer is asked for by a folder of our own and a plain key, by nothing else', () => {
  expect(parseLayerWish('nodejs', '.kith/node node-24.1.0-x64')).toMatchObject({
    path: '.kith/node',
    key: 'node-24.1.0-x64',
  });
  for (const line of [
    '',
    '.kith/node',
    'bin x',
    '.kith/../x y',
    '.kith/a/b c',
    '.kith/node ../x',
    '/etc x',
  ]) {
    expect(() => parseLayerWish('nodejs', line)).toThrow('asks for a layer by');
  }
});
