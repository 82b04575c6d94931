import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { FakeHost } from '../builds/fake-host.ts';
import { writeFiles, type Files } from '../builds/build-peer.ts';
import { eventually } from '../helpers/eventually.ts';
import { Gate } from '../helpers/gate.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { MemoryMesh } from '../slugs/memory-mesh.ts';
import { openGitPeer, workingCopy } from './git-peer.ts';

// A push is a dozen processes, one after the other.
vi.setConfig({ testTimeout: 240_000 });

async function openOne(appName = 'blog') {
  const host = new FakeHost();
  const peer = await openGitPeer('a', host, new MemoryMesh());
  return {
    host,
    peer,
    app: host.createApp(appName),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}

/** A buildpack that goes on when it is let. */
function slowPack(gate: Gate): Files {
  return { 'bin/detect': '#!/bin/sh\necho Slow', 'bin/compile': `#!/bin/sh\n${gate.command}` };
}

test('a push builds and releases, and the pusher reads along', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  const commit = await copy.commit({ Procfile: 'web: ./run', run: '#!/bin/sh\n' });
  const { status, output } = await copy.git('push', one.peer.url(one.app), 'main');
  expect(output).toContain('remote: Compressing source files... done.');
  expect(output).toContain('remote: Building source:');
  expect(output).toContain('remote: -----> Building on the Kith stack');
  expect(output).toContain('remote:        Released v2');
  expect(output).toContain('remote: Verifying deploy... done.');
  expect(output).toContain('main -> main');
  expect(status).toBe(0);
  const { slug, description } = one.host.current(one.app.id);
  expect(description).toBe(`Deploy ${commit.slice(0, 8)}`);
  expect(slug).toMatchObject({ commit, processTypes: { web: './run' } });
  expect(one.peer.blobs.has(slug!.source!)).toBe(true);
});

test('what was pushed can be cloned again, and pushed on', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  await copy.git('push', one.peer.url(one.app), 'main');
  await using other = await workingCopy();
  expect((await other.git('pull', '-q', one.peer.url(one.app), 'main')).status).toBe(0);
  expect(await readFile(join(other.path, 'Procfile'), 'utf8')).toBe('web: x');
  await other.commit({ Procfile: 'web: y' });
  expect((await other.git('push', one.peer.url(one.app), 'main')).status).toBe(0);
  expect((await other.git('push', one.peer.url(one.app), 'main')).output).toContain('Everything up-to-date');
  expect(one.host.current(one.app.id).number).toBe(3);
});

test('a build that fails refuses the push and leaves the branch where it was', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  const good = await copy.commit({ Procfile: 'web: x' });
  await copy.git('push', one.peer.url(one.app), 'main');
  await copy.commit({ Procfile: 'this is none' });
  const { status, output } = await copy.git('push', one.peer.url(one.app), 'main');
  expect(status).toBe(1);
  expect(output).toContain('remote:  !     Push rejected, Cannot read line 1 of the Procfile');
  expect(output).toContain('remote:  !     Push failed');
  expect(output).toContain('(pre-receive hook declined)');
  expect((await copy.git('ls-remote', one.peer.url(one.app), 'refs/heads/main')).output).toContain(good);
  expect(one.host.current(one.app.id).number).toBe(2);
});

test('a push to another branch is accepted and builds nothing', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  const { status, output } = await copy.git('push', one.peer.url(one.app), 'main:topic');
  expect(status).toBe(0);
  expect(output).toContain('remote: Pushed to neither main nor master: nothing was built.');
  expect(output).toContain('git push <remote> topic:main');
  expect(one.host.current(one.app.id).number).toBe(1);
});

test('master is built like main; both at once, or deleting what runs, is refused', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  const url = one.peer.url(one.app);
  expect((await copy.git('push', url, 'main:main', 'main:master')).output).toContain(
    'main and master in one push',
  );
  expect((await copy.git('push', url, 'main:master')).status).toBe(0);
  expect(one.host.current(one.app.id).number).toBe(2);
  expect((await copy.git('push', url, ':master')).status).toBe(1);
});

test('a push that is behind is rejected as git does, and --force goes through', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  const url = one.peer.url(one.app);
  await copy.commit({ Procfile: 'web: x' });
  await copy.commit({ a: '1' });
  await copy.git('push', url, 'main');
  await copy.git('reset', '-q', '--hard', 'HEAD~1');
  await copy.commit({ b: '2' });
  const refused = await copy.git('push', url, 'main');
  expect(refused.output).toMatch(/rejected|fetch first|non-fast-forward/);
  expect(refused.status).toBe(1);
  expect((await copy.git('push', '--force', url, 'main')).status).toBe(0);
  expect(one.host.current(one.app.id).number).toBe(3);
});

test('the next push may go to another peer, which gets the history by itself', async () => {
  const host = new FakeHost();
  const mesh = new MemoryMesh();
  await using a = await openGitPeer('a', host, mesh, ['b']);
  await using b = await openGitPeer('b', host, mesh, ['a']);
  const app = host.createApp('blog');
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x', big: randomBytes(3_000_000).toString('hex') });
  const first = await copy.git('push', a.url(app), 'main');
  expect(first.output).toContain('remote:        2 peers hold the slug');
  const slug = host.current(app.id).slug;
  expect(b.blobs.has(slug!.id) && b.blobs.has(slug!.source!)).toBe(true);
  await copy.commit({ Procfile: 'web: y' });
  const second = await copy.git('push', b.url(app), 'main');
  expect(second.output).toContain('main -> main');
  expect(second.output).not.toContain('[new branch]');
  const third = await copy.git('push', a.url(app), 'main');
  expect(third.output).toContain('Everything up-to-date');
  expect(host.current(app.id)).toMatchObject({ number: 3, slug: { processTypes: { web: 'y' } } });
});

test('a working copy that misses what went to another peer is told to fetch first', async () => {
  const host = new FakeHost();
  const mesh = new MemoryMesh();
  await using a = await openGitPeer('a', host, mesh, ['b']);
  await using b = await openGitPeer('b', host, mesh, ['a']);
  const app = host.createApp('blog');
  await using mine = await workingCopy();
  await using theirs = await workingCopy();
  await mine.commit({ Procfile: 'web: x' });
  await mine.git('push', a.url(app), 'main');
  await theirs.git('pull', '-q', b.url(app), 'main');
  await theirs.commit({ Procfile: 'web: theirs' });
  expect((await theirs.git('push', b.url(app), 'main')).status).toBe(0);
  await mine.commit({ Procfile: 'web: mine' });
  expect((await mine.git('push', a.url(app), 'main')).output).toContain('fetch first');
  expect(host.current(app.id).slug?.processTypes).toEqual({ web: 'theirs' });
});

test('of two pushes at once to different peers only one is released', async () => {
  const host = new FakeHost();
  const mesh = new MemoryMesh();
  await using a = await openGitPeer('a', host, mesh, ['b']);
  await using b = await openGitPeer('b', host, mesh, ['a']);
  const app = host.createApp('blog');
  await using packs = await tempDir();
  await using gate = await Gate.build();
  await writeFiles(packs.path, slowPack(gate));
  host.setBuildpacks(app.id, [packs.path]);
  await using mine = await workingCopy();
  await using theirs = await workingCopy();
  await mine.commit({ Procfile: 'web: mine' });
  await theirs.commit({ Procfile: 'web: theirs' });
  const pushing = Promise.all([mine.git('push', a.url(app), 'main'), theirs.git('push', b.url(app), 'main')]);
  await eventually(() => gate.waiting === 2, { withinMs: 60_000 });
  gate.open();
  const both = await pushing;
  expect(both.filter(({ status }) => status === 0)).toHaveLength(1);
  expect(both.find(({ status }) => status === 1)?.output).toContain('somebody else pushed meanwhile');
  expect(host.current(app.id).number).toBe(2);
});

test('two pushes at once to one peer take turns; the later is told to fetch first', async () => {
  await using one = await openOne();
  await using packs = await tempDir();
  await using gate = await Gate.build();
  await writeFiles(packs.path, slowPack(gate));
  one.host.setBuildpacks(one.app.id, [packs.path]);
  await using mine = await workingCopy();
  await using theirs = await workingCopy();
  await mine.commit({ Procfile: 'web: mine' });
  await theirs.commit({ Procfile: 'web: theirs' });
  const url = one.peer.url(one.app);
  const pushing = Promise.all([mine.git('push', url, 'main'), theirs.git('push', url, 'main')]);
  await eventually(() => gate.waiting === 1 && one.peer.pushes.begun === 2, { withinMs: 60_000 });
  gate.open();
  const both = await pushing;
  expect(both.filter(({ status }) => status === 0)).toHaveLength(1);
  expect(both.find(({ status }) => status === 1)?.output).toContain('somebody else pushed meanwhile');
});

test('a rollback leaves the branch where the last push put it', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  await copy.git('push', one.peer.url(one.app), 'main');
  const old = one.host.current(one.app.id).slug;
  const last = await copy.commit({ Procfile: 'web: y' });
  await copy.git('push', one.peer.url(one.app), 'main');
  one.host.rollback(one.app.id, old);
  expect((await copy.git('ls-remote', one.peer.url(one.app), 'refs/heads/main')).output).toContain(last);
});

test('a pusher that leaves in mid-build does not undo its push', async () => {
  await using one = await openOne();
  await using packs = await tempDir();
  await using gate = await Gate.build();
  await writeFiles(packs.path, slowPack(gate));
  one.host.setBuildpacks(one.app.id, [packs.path]);
  await using copy = await workingCopy();
  const commit = await copy.commit({ Procfile: 'web: x' });
  const push = spawn('git', ['-C', copy.path, 'push', one.peer.url(one.app), 'main'], {
    stdio: 'ignore',
    detached: true,
  });
  await eventually(() => gate.waiting === 1, { withinMs: 60_000 });
  if (push.pid !== undefined) process.kill(-push.pid, 'SIGKILL');
  await eventually(() => one.peer.pushes.left === 1);
  gate.open();
  await eventually(() => one.host.current(one.app.id).number === 2, { withinMs: 60_000 });
  await eventually(async () =>
    (await copy.git('ls-remote', one.peer.url(one.app), 'refs/heads/main')).output.includes(commit),
  );
});

test('what .gitattributes would keep out of an export is built all the same', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({
    Procfile: 'web: x',
    '.gitattributes': 'secret.txt export-ignore\n',
    'secret.txt': 'here',
  });
  await copy.git('push', one.peer.url(one.app), 'main');
  expect(await readdir(await one.peer.slug(one.app))).toContain('secret.txt');
});

test('gzip bodies, the empty probe and odd requests are answered as git expects', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  const url = one.peer.url(one.app);
  await copy.git('push', url, 'main');
  const probe = await fetch(`${url}/git-receive-pack`, { method: 'POST', body: '0000' });
  expect([probe.status, await probe.text()]).toEqual([200, '']);
  const head = (await copy.git('rev-parse', 'HEAD')).output.trim();
  const want = Buffer.from(`0032want ${head}\n00000009done\n`);
  const zipped = await fetch(`${url}/git-upload-pack`, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(want),
  });
  expect(await zipped.text()).toMatch(/^0008NAK\nPACK/);
  expect((await fetch(`${url}/info/refs`)).status).toBe(403);
  expect((await fetch(`${url}/info/refs?service=git-evil`)).status).toBe(403);
  expect((await fetch(`${url}/objects/info/packs`)).status).toBe(404);
  expect((await fetch(`${url}/git-upload-pack`, { method: 'POST', body: 'zzzz' })).status).toBe(200);
});

test('nobody gets a push past the agent', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  await copy.commit({ Procfile: 'web: x' });
  await copy.git('push', one.peer.url(one.app), 'main');
  await copy.commit({ a: 'b' });
  const repo = join(one.peer.dir, 'git', `${one.app.id}.git`);
  await copy.git('-C', repo, 'config', 'core.hooksPath', join(one.peer.dir, 'git', 'hooks'));
  expect((await copy.git('push', repo, 'main')).status).toBe(1);
});

test('a buildpack may come from a git URL at a branch, or from a tar URL', async () => {
  await using one = await openOne();
  await using copy = await workingCopy();
  const script = { 'bin/detect': '#!/bin/sh\necho Remote', 'bin/compile': '#!/bin/sh\necho "from afar"' };
  await copy.commit(script);
  const packs = one.host.createApp('packs');
  await copy.git('push', one.peer.url(packs), 'main:topic');
  await copy.git('archive', '--format=tar.gz', '--prefix=pack-main/', '-o', 'pack.tgz', 'HEAD');
  const archive = await readFile(join(copy.path, 'pack.tgz'));
  const server = createServer((_, response) => response.end(archive)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  for (const pack of [`${one.peer.url(packs)}#topic`, `http://127.0.0.1:${port}/pack.tgz`]) {
    one.host.setBuildpacks(one.app.id, [pack]);
    const { outcome, output } = await one.peer.build(one.app, { x: 'y' });
    expect(outcome.status, output).toBe('succeeded');
    expect(output).toContain('-----> Remote app detected\nfrom afar\n');
  }
  server.close();
  server.closeAllConnections();
  const again = await one.peer.build(one.app, { x: 'y' });
  expect(again.output).toContain('using the copy of the last build');
  expect(again.outcome.status).toBe('succeeded');
});
