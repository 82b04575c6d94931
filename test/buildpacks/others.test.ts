import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openBuildPeer, tarFolder, writeFiles, type Files } from '../builds/build-peer.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { inDyno } from './in-dyno.ts';
import { freePort } from '../helpers/free-port.ts';

const PACK_MS = 300_000;

test('a folder of files is served, links and dot files excepted', { timeout: PACK_MS }, async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('site');
  const { outcome, output } = await peer.build(app, {
    'public/index.html': '<h1>Hi</h1>',
    'public/about/index.html': 'About',
    'public/.secret': 'x',
    'public/404.html': 'Lost',
  });
  expect(outcome.status, output).toBe('succeeded');
  const { slug } = peer.host.current(app.id);
  expect(slug?.buildpack).toBe('Static site');
  const port = await freePort();
  const dyno = spawn(...inDyno(await peer.slug(app), slug!.processTypes['web']!, { PORT: String(port) }));
  try {
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return [response.status, await response.text()];
    };
    await eventually(() => get('/'), { withinMs: 60_000 });
    expect(await get('/')).toEqual([200, '<h1>Hi</h1>']);
    expect(await get('/about')).toEqual([200, 'About']);
    expect(await get('/.secret')).toEqual([404, 'Lost']);
    expect(await get('/%2e%2e/%2e%2e/Procfile')).toEqual([404, 'Lost']);
    expect(await get('/%')).toEqual([400, 'Bad request\n']);
  } finally {
    dyno.kill('SIGTERM');
  }
});

test('static.json names the folder; one that is not there is refused', { timeout: PACK_MS }, async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('site');
  const { output } = await peer.build(app, { 'static.json': '{"root":"dist"}' });
  expect(output).toContain('static.json says root "dist", but there is no such folder.');
});

/** A wheel is a zip of a package and three small files of metadata. */
async function wheelApp(dir: string): Promise<void> {
  const files: Files = {
    'tiny.py': 'WORD = "from the wheel"\n',
    'tiny-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n',
    'tiny-1.0.dist-info/WHEEL':
      'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    'tiny-1.0.dist-info/RECORD': '',
  };
  await writeFiles(join(dir, 'wheel'), files);
  await writeFiles(join(dir, 'app'), {
    'requirements.txt': 'tiny==1.0\n',
    'app.py': 'import tiny\nprint(tiny.WORD)\n',
    Procfile: 'worker: python3 app.py\n',
    'vendor/.keep': '',
  });
  const zip = 'import shutil,sys; shutil.make_archive(sys.argv[1], "zip", sys.argv[2])';
  const wheel = join(dir, 'app', 'vendor', 'tiny-1.0-py3-none-any.whl');
  await promisify(execFile)('/usr/bin/python3', ['-c', zip, wheel, join(dir, 'wheel')]);
  await promisify(execFile)('mv', [`${wheel}.zip`, wheel]);
}

test('a Python app gets its requirements from the wheels it brings', { timeout: PACK_MS }, async () => {
  await using peer = await openBuildPeer();
  await using dir = await tempDir();
  await wheelApp(dir.path);
  const app = peer.host.createApp('snake');
  const { outcome, output } = await peer.build(app, await tarFolder(join(dir.path, 'app')));
  expect(outcome.status, output).toBe('succeeded');
  expect(output).toContain('From the wheels that the app brings');
  expect(peer.host.current(app.id).slug).toMatchObject({ arch: 'any', buildpack: 'Python' });
  const [file, args, options] = inDyno(await peer.slug(app), 'python3 app.py', {});
  const { stdout } = await promisify(execFile)(file, args, { cwd: options.cwd, env: options.env });
  expect(stdout).toBe('from the wheel\n');
});

test('a Python version that the stack does not have is refused by name', { timeout: PACK_MS }, async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('snake');
  const { output } = await peer.build(app, { 'requirements.txt': '', 'runtime.txt': 'python-2.7.18\n' });
  expect(output).toContain(' !     This app asks for Python 2.7.18, but the stack has 3.');
});

test('a Go app is built, or told that this host has no Go', { timeout: PACK_MS }, async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('gopher');
  const { outcome, output } = await peer.build(app, {
    'go.mod': 'module example.com/gopher\n\ngo 1.19\n',
    'main.go': 'package main\n\nfunc main() { println("hi") }\n',
  });
  if (outcome.status === 'succeeded')
    expect(peer.host.current(app.id).slug?.processTypes).toEqual({ web: 'bin/gopher' });
  else expect(output).toContain(' !     This host has no Go toolchain.');
});

test('scripts of the bundled buildpacks have no syntax errors', async () => {
  const root = join(import.meta.dirname, '../../buildpacks');
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    'cd "$1" && for f in */bin/* lib/*.sh nodejs/lib/*.sh; do bash -n "$f" || echo "$f"; done',
    'bash',
    root,
  ]);
  expect(stdout).toBe('');
  expect(await readFile(join(root, 'lib', 'output.sh'), 'utf8')).toContain('fail()');
});
