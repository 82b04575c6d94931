import { spawn, spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { StubApi } from './stub-api.ts';

const kith = resolve('cli/kith');
// A PATH with the tools of a bare system, and perhaps an old Node.
const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' };

test("the launcher runs the checkout's own Node, also through a symlink from another folder", async () => {
  await using dir = await tempDir();
  await symlink(kith, join(dir.path, 'first'));
  await symlink('first', join(dir.path, 'second'));
  for (const path of [kith, join(dir.path, 'second')]) {
    const { status, stdout, stderr } = spawnSync(path, ['version'], { env, cwd: dir.path, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^kith\/\d+\.\d+\.\d+ \w+-\w+ node-v2[4-9]\.\d+\.\d+\n$/);
  }
});

test('where no Node is new enough, the launcher says what to run', async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, 'cli'));
  await mkdir(join(dir.path, 'bin'));
  await cp(kith, join(dir.path, 'cli/kith'));
  await writeFile(join(dir.path, 'bin/node'), '#!/bin/sh\necho v20.20.2\n');
  await chmod(join(dir.path, 'bin/node'), 0o755);
  const { status, stderr } = spawnSync(join(dir.path, 'cli/kith'), ['version'], {
    env: { ...env, PATH: `${join(dir.path, 'bin')}:${env.PATH}` },
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('it needs Node 24 or newer, found v20.20.2');
  expect(stderr).toContain('npm ci');
});

test('status and streams of a command are those of the program', () => {
  const unknown = spawnSync(kith, ['frobnicate'], { env, encoding: 'utf8' });
  expect(unknown).toMatchObject({ status: 127, stdout: '' });
  expect(unknown.stderr).toContain('frobnicate is not a kith command');
});

test('output that nobody reads any more ends the program quietly', async () => {
  await using stub = await StubApi.start();
  stub.on(
    'GET /apps',
    Array.from({ length: 5_000 }, (_, i) => ({ name: `app-with-a-name-${i}` })),
  );
  const child = spawn('sh', ['-c', `"${kith}" apps --host ${stub.host} | head -n 1`], { env });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const status = await new Promise((done) => child.once('close', done));
  expect({ status, said }).toEqual({ status: 0, said: '' });
});

test('kith agent is the agent: its words, output, signals and end pass through', async () => {
  // A checkout whose agent only tells what it was given.
  await using dir = await tempDir();
  await cp('cli', join(dir.path, 'cli'), { recursive: true });
  await cp('src', join(dir.path, 'src'), { recursive: true });
  await cp('package.json', join(dir.path, 'package.json'));
  await symlink(resolve('node_modules'), join(dir.path, 'node_modules'));
  await mkdir(join(dir.path, 'agent'));
  const told = join(dir.path, 'told');
  const agent = `import { writeFileSync } from 'node:fs';
    process.on('SIGTERM', () => process.exit(7));
    console.log(JSON.stringify(process.argv.slice(2)));
    writeFileSync(${JSON.stringify(told)}, String(process.pid));
    setInterval(() => {}, 1_000);`;
  await writeFile(join(dir.path, 'agent/main.ts'), agent);
  const child = spawn(join(dir.path, 'cli/kith'), ['agent', '--data', '/x', '--help'], { env });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const ended = new Promise((done) => child.once('close', done));
  await eventually(() => readFile(told), { withinMs: 60_000 });
  child.kill('SIGTERM');
  expect(await ended).toBe(7);
  expect(output).toBe('["--data","/x","--help"]\n');
});
