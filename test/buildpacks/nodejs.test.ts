import { execFile, spawn } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openBuildPeer, tarFolder, type Files } from '../builds/build-peer.ts';
import { eventually } from '../helpers/eventually.ts';
import { inDyno } from './in-dyno.ts';
import { freePort } from '../helpers/free-port.ts';

const NODE_MS = 480_000;
const json = (value: unknown): string => JSON.stringify(value);

test(
  'the sample app builds from its lockfile, and its slug runs where there is no other Node',
  { timeout: NODE_MS },
  async () => {
    await using peer = await openBuildPeer();
    const app = peer.host.createApp('hello');
    const { outcome, output } = await peer.build(
      app,
      await tarFolder(join(import.meta.dirname, '../../samples/hello')),
    );
    expect(output).toContain('-----> Node.js app detected');
    expect(output).toContain('-----> Installing dependencies with npm');
    expect(outcome.status, output).toBe('succeeded');
    const { slug } = peer.host.current(app.id);
    expect(slug).toMatchObject({ arch: process.arch, buildpack: 'Node.js' });
    expect(Object.keys(slug!.processTypes).sort()).toEqual(['web', 'worker']);
    const root = await peer.slug(app);
    const port = await freePort();
    const dyno = spawn(
      ...inDyno(root, slug!.processTypes['web']!, { PORT: String(port), GREETING: 'Salut' }),
    );
    try {
      const body = await eventually(async () => (await fetch(`http://127.0.0.1:${port}/`)).text(), {
        withinMs: 60_000,
      });
      expect(body).toContain('Salut\n');
    } finally {
      const out = text(dyno.stdout!);
      dyno.kill('SIGTERM');
      expect(await out).toContain('SIGTERM');
    }
    const [file, args, { cwd, env }] = inDyno(root, 'npm --version && node --version', {});
    const { stdout } = await promisify(execFile)(file, args, { cwd, env });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\nv24\./);
  },
);

test(
  'build scripts run with development dependencies, which are gone from the slug',
  { timeout: NODE_MS },
  async () => {
    await using peer = await openBuildPeer();
    const app = peer.host.createApp('blog');
    peer.host.setConfig(app.id, { SHOUT: 'loud' });
    const files: Files = {
      'package.json': json({
        name: 'x',
        scripts: {
          build: "node -e \"require('ms'); require('fs').writeFileSync('built.txt', process.env.SHOUT)\"",
          start: 'node x',
        },
        devDependencies: { ms: '2.1.3' },
      }),
    };
    const { outcome, output } = await peer.build(app, files);
    expect(outcome.status, output).toBe('succeeded');
    expect(output).toContain('-----> Running build');
    const root = await peer.slug(app);
    expect(await readFile(join(root, 'built.txt'), 'utf8')).toBe('loud');
    expect(await readdir(join(root, 'node_modules')).catch(() => [])).not.toContain('ms');
    expect(peer.host.current(app.id).slug?.processTypes).toEqual({ web: 'npm start' });
  },
);

test(
  'the package manager that packageManager names is in the slug, and Node in a layer below it',
  { timeout: NODE_MS },
  async () => {
    await using peer = await openBuildPeer();
    const app = peer.host.createApp('woolly');
    const { outcome, output } = await peer.build(app, {
      'package.json': json({ packageManager: 'yarn@1.22.19', scripts: { start: 'node x' } }),
      'yarn.lock': '# yarn lockfile v1\n',
    });
    expect(outcome.status, output).toBe('succeeded');
    expect(peer.host.current(app.id).slug?.layers).toHaveLength(1);
    const root = await peer.slug(app);
    const [file, args, { cwd, env }] = inDyno(root, 'yarn --version && node --version', {});
    const { stdout } = await promisify(execFile)(file, args, { cwd, env });
    expect(stdout).toMatch(/^1\.22\.19\nv24\./);
  },
);

test('what cannot be built is refused with a reason', { timeout: NODE_MS }, async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('blog');
  const broken = await peer.build(app, { 'package.json': '{' });
  expect(broken.output).toContain(' !     Cannot read package.json: it is no valid JSON.');
  expect(broken.output).toContain('Push rejected, failed to compile Node.js app.');
  const impossible = await peer.build(app, { 'package.json': json({ engines: { node: '999.x' } }) });
  expect(impossible.output).toContain(' !     No version of Node.js fits "999.x".');
  const failing = await peer.build(app, { 'package.json': json({ scripts: { build: 'exit 3' } }) });
  expect(failing.output).toContain(' !     The script "build" of package.json failed.');
  expect(peer.host.current(app.id).number).toBe(1);
});
