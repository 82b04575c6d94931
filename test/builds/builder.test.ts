import { randomInt } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Command } from '../../src/ledger/command.ts';
import { eventually } from '../helpers/eventually.ts';
import { Gate } from '../helpers/gate.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { openBuildPeer, writeFiles } from './build-peer.ts';

function recorded(commands: readonly Command[]) {
  return commands.filter((command) => command.type === 'build.record');
}

test('an app with a Procfile becomes a slug, a release and a record, and says so as Heroku does', async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('blog');
  const { outcome, output, build } = await peer.build(app, {
    Procfile: 'web: ./run\nworker: ./work',
    run: 'x',
  });
  expect(outcome.status).toBe('succeeded');
  expect(output).toBe(
    [
      '-----> Building on the Kith stack',
      '-----> Determining which buildpack to use for this app',
      '-----> Using buildpack: procfile',
      '-----> Procfile app detected',
      '       Nothing to compile: the Procfile says what runs',
      '-----> Build succeeded!',
      '-----> Discovering process types',
      '       Procfile declares types    -> web, worker',
      '',
      '-----> Compressing...',
      '       Done: 0.0M',
      '-----> Launching...',
      ' !     Only this peer holds the slug: no other took a copy',
      '       Released v2',
      '       http://blog.localhost:8080/ deployed to Kith',
      '',
      '',
    ].join('\n'),
  );
  const release = peer.host.current(app.id);
  expect(release.description).toBe('Deploy 0b0e75c1');
  expect(release.slug).toMatchObject({
    arch: 'any',
    processTypes: { web: './run', worker: './work' },
    buildpack: 'Procfile',
    commit: '0b0e75c1d2e3f405',
  });
  expect((await readdir(await peer.slug(app))).sort()).toEqual(['Procfile', 'run']);
  await eventually(() => recorded(peer.host.commands).length > 0);
  expect(recorded(peer.host.commands)[0]).toMatchObject({
    build,
    status: 'succeeded',
    buildpacks: ['procfile'],
  });
  expect(peer.logged).toEqual(['Build started by user me@example.com']);
});

test('the same source makes the same slug', async () => {
  await using peer = await openBuildPeer();
  const one = peer.host.createApp('one');
  const two = peer.host.createApp('two');
  const files = { Procfile: 'web: x', 'b/c': '1', a: '2' };
  await peer.build(one, files);
  await peer.build(two, files);
  expect(peer.host.current(one.id).slug?.id).toBe(peer.host.current(two.id).slug?.id);
});

test('a source that no buildpack knows is refused with what Kith knows', async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('blog');
  const { outcome, output } = await peer.build(app, { README: 'x' });
  expect(outcome.status).toBe('failed');
  expect(output).toContain(' !     No default language could be detected for this app.\n');
  expect(output).toMatch(/ !\n !     Push failed\n$/);
  expect(peer.host.current(app.id).number).toBe(1);
});

test('a bad Procfile is refused with its line before anything is built', async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('blog');
  const { outcome, output } = await peer.build(app, { Procfile: 'web: x\nnonsense\n' });
  expect(outcome.status).toBe('failed');
  expect(output).toContain('Cannot read line 2 of the Procfile: found "nonsense"');
  expect(output).not.toContain('buildpack');
});

test('a build that fails changes nothing but the record, and its output says why', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Broken',
    'bin/compile': '#!/bin/sh\necho "compiling"\necho "it broke" >&2\nexit 3',
  });
  const app = peer.host.createApp('blog');
  peer.host.setBuildpacks(app.id, [packs.path]);
  const { outcome, output, build } = await peer.build(app, { x: 'y' });
  expect(outcome).toEqual({ status: 'failed', reason: 'failed to compile Broken app.' });
  expect(output).toContain('compiling\nit broke\n !     Push rejected, failed to compile Broken app.\n');
  expect(peer.host.current(app.id).number).toBe(1);
  const [record] = await eventually(() => {
    const found = recorded(peer.host.commands);
    return found.length > 0 ? found : null;
  });
  expect(record).toMatchObject({ status: 'failed', release: null });
  const live = peer.builds.output(build);
  expect(live === null ? null : await text(live)).toBe(output);
});

test('buildpacks run in a row with the classic API: environment, config files, cache, export and release', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'one/bin/detect': '#!/bin/sh\necho One',
    'one/bin/compile': `#!/bin/sh
      echo "stack $STACK version $SOURCE_VERSION secret [$SECRET] file $(cat "$3/SECRET")"
      echo "cached $(cat "$2/mark" 2>/dev/null)"; echo kept > "$2/mark"
      echo one > "$1/one.txt"
      echo 'export FROM_ONE=yes' > "$(dirname "$0")/../export"`,
    'one/bin/release': '#!/bin/sh\nprintf "default_process_types:\\n  web: from one\\n"',
    'two/bin/detect': '#!/bin/sh\ntest -f "$1/one.txt" && echo Two',
    'two/bin/compile':
      '#!/bin/sh\necho "from one: $FROM_ONE"\nmkdir -p "$1/.profile.d"\necho export A=1 > "$1/.profile.d/a.sh"',
    'two/bin/release': '#!/bin/sh\nprintf "default_process_types:\\n  web: from two\\n"',
  });
  const app = peer.host.createApp('blog');
  peer.host.setConfig(app.id, { SECRET: 'sesame' });
  peer.host.setBuildpacks(app.id, [join(packs.path, 'one'), join(packs.path, 'two')]);
  const first = await peer.build(app, { x: 'y' });
  expect(first.output).toContain('stack heroku-24 version 0b0e75c1d2e3f405 secret [] file sesame\ncached \n');
  expect(first.output).toContain('from one: yes\n');
  expect(peer.host.current(app.id).slug).toMatchObject({
    processTypes: { web: 'from two' },
    buildpack: 'Two',
  });
  expect(await readFile(join(await peer.slug(app), '.profile.d', 'a.sh'), 'utf8')).toBe('export A=1\n');
  expect((await peer.build(app, { x: 'y' })).output).toContain('cached kept\n');
  await peer.builds.purgeCache(app.id);
  expect((await peer.build(app, { x: 'y' })).output).toContain('cached \n');
});

test('a build finds internal ports where dynos of this peer do', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Asking',
    'bin/compile': '#!/bin/sh\necho "at $(cat "$3/URL")"',
  });
  const app = peer.host.createApp('blog');
  peer.host.setConfig(app.id, { URL: 'redis://kith.internal:61001' });
  peer.host.setBuildpacks(app.id, [packs.path]);
  expect((await peer.build(app, { x: 'y' })).output).toContain('at redis://127.64.0.1:61001\n');
});

test('a build sees neither the data of the agent nor its environment, and is not root', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Nosy',
    'bin/compile': `#!/bin/sh
      echo "uid $(id -u)"
      ls ${peer.dir}/blobs ${peer.dir}/secret 2>&1 | head -3
      env | grep -c KITH_TEST_SECRET`,
  });
  await writeFiles(peer.dir, { secret: 'key' });
  process.env['KITH_TEST_SECRET'] = 'x';
  const app = peer.host.createApp('blog');
  peer.host.setBuildpacks(app.id, [packs.path]);
  const { output } = await peer.build(app, { x: 'y' });
  delete process.env['KITH_TEST_SECRET'];
  expect(output).not.toContain('uid 0\n');
  expect(output).toContain('\n0\n');
  expect(output).not.toMatch(/^secret$/m);
});

test('git files and what .slugignore names are not in the slug', async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('blog');
  await peer.build(app, {
    Procfile: 'web: x',
    '.gitignore': 'x',
    '.slugignore': '*.psd\n/test\n',
    'art/logo.psd': 'x',
    'art/logo.png': 'x',
    'test/a': 'x',
  });
  const slug = await peer.slug(app);
  expect((await readdir(slug, { recursive: true })).sort()).toEqual([
    '.slugignore',
    'Procfile',
    'art',
    'art/logo.png',
  ]);
});

test('a build that leads its Procfile elsewhere by a link gets nothing of it', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Sly',
    'bin/compile': '#!/bin/sh\nrm -f "$1/Procfile"; ln -s /etc/hosts "$1/Procfile"',
  });
  const app = peer.host.createApp('blog');
  peer.host.setBuildpacks(app.id, [packs.path]);
  const { outcome } = await peer.build(app, { Procfile: 'web: x' });
  expect(outcome.status).toBe('succeeded');
  expect(peer.host.current(app.id).slug?.processTypes).toEqual({});
});

test('a build past its deadline is killed with all of its processes', async () => {
  await using peer = await openBuildPeer({ deadlineMs: 1_500 });
  await using packs = await tempDir();
  // By which they are known among all that run on this machine.
  const seconds = randomInt(1_000_000, 10_000_000);
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Slow',
    'bin/compile': `#!/bin/sh\nsleep ${seconds} & sleep ${seconds}`,
  });
  const app = peer.host.createApp('blog');
  peer.host.setBuildpacks(app.id, [packs.path]);
  const { outcome, output } = await peer.build(app, { x: 'y' });
  expect(outcome.status).toBe('failed');
  expect(output).toContain('the build took longer than');
  await eventually(async () => {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (line === `sleep\0${seconds}\0`) return false;
    }
    return true;
  });
  expect(await readdir(join(peer.dir, 'build-cache', '.work')).catch(() => ['bin'])).toEqual(['bin']);
});

test('a buildpack of the host that an app.json names is for admins, also where the request names none at all', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Mine',
    'bin/compile': '#!/bin/sh\necho compiled',
  });
  const app = peer.host.createApp('blog');
  const files = { 'app.json': JSON.stringify({ buildpacks: [{ url: packs.path }] }) };
  for (const request of [{}, { buildpacks: [] }]) {
    const { outcome, output } = await peer.build(app, files, request);
    expect(outcome.status).toBe('failed');
    expect(output).toContain(`Only an admin of the cluster may name the buildpack "${packs.path}"`);
    expect(output).not.toContain('compiled');
  }
  // An admin has named it: for the app, or in the request, where it was looked at when that came.
  expect((await peer.build(app, files, { buildpacks: [packs.path] })).output).toContain('compiled');
  peer.host.setBuildpacks(app.id, [packs.path]);
  expect((await peer.build(app, files, { buildpacks: [] })).output).toContain('compiled');
});

test('builds wait their turn and are told their place', async () => {
  await using peer = await openBuildPeer();
  await using packs = await tempDir();
  await using gate = await Gate.build();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Patient',
    'bin/compile': `#!/bin/sh\n${gate.command}`,
  });
  const apps = ['one', 'two', 'three'].map((name) => peer.host.createApp(name, { buildpacks: [packs.path] }));
  const building = Promise.all(apps.map((app) => peer.build(app, { x: 'y' })));
  await eventually(() => apps.every(({ id }) => peer.builds.pending(id).length === 1));
  gate.open();
  const ended = await building;
  expect(ended.map(({ outcome }) => outcome.status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
  const waits = ended.map(({ output }) =>
    [...output.matchAll(/Waiting: (\d)/g)].map(([, ahead]) => ahead).join(),
  );
  expect(waits.filter((text) => text !== '').sort()).toEqual(['1', '2,1']);
});

test('an agent that stops ends the build under way', async () => {
  const peer = await openBuildPeer();
  await using packs = await tempDir();
  await writeFiles(packs.path, {
    'bin/detect': '#!/bin/sh\necho Slow',
    'bin/compile': '#!/bin/sh\necho ready\nsleep 600',
  });
  const app = peer.host.createApp('blog', { buildpacks: [packs.path] });
  const building = peer.build(app, { x: 'y' });
  const [pending] = await eventually(() => {
    const all = peer.builds.pending(app.id);
    return all.length > 0 ? all : null;
  });
  const live = peer.builds.output(pending?.build ?? '');
  let seen = '';
  live?.on('data', (data: Buffer) => (seen += data.toString()));
  await eventually(() => seen.includes('ready\n'));
  await peer[Symbol.asyncDispose]();
  expect((await building).outcome).toMatchObject({ status: 'failed' });
});

test('a buildpack that does not exist, or is none, fails clearly', async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('blog');
  for (const [pack, message] of [
    ['heroku/cobol', 'No buildpack is called "heroku/cobol"'],
    ['/nowhere/at/all', '"/nowhere/at/all" is no buildpack'],
    ['http://127.0.0.1:9/x.tgz', 'Cannot fetch buildpack "http://127.0.0.1:9/x.tgz"'],
    ['http://127.0.0.1:9/x.git#main', 'Cannot fetch buildpack "http://127.0.0.1:9/x.git#main"'],
  ] as const) {
    peer.host.setBuildpacks(app.id, [pack]);
    expect((await peer.build(app, { x: 'y' })).output).toContain(message);
  }
});
