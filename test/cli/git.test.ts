import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';
import { appOf, buildOf, peerOf, releaseOf } from './resources.ts';
import { runKith } from './run-kith.ts';
import { StubApi, type Recorded } from './stub-api.ts';

async function repository(): ReturnType<typeof tempDir> {
  const dir = await tempDir();
  gitIn(dir.path, 'init', '-q');
  return dir;
}

function gitIn(cwd: string, ...args: string[]): string {
  const env = { ...process.env, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', args, { cwd, env, encoding: 'utf8' }).trim();
}

test('creating an app in a repository adds a remote that holds no token, and later commands find the app by it', async () => {
  await using dir = await repository();
  await using stub = await StubApi.start();
  stub.on('POST /apps', appOf()).on('GET /apps/blog/config-vars', {});
  const env = { KITH_HOST: stub.host, KITH_TOKEN: 'secret' };
  const ran = await runKith(['apps:create'], { env, cwd: dir.path });
  expect(ran.stdout).toBe(`http://blog.localhost:8001/ | http://${stub.host}/blog.git\n`);
  expect(gitIn(dir.path, 'remote', 'get-url', 'kith')).toBe(`http://${stub.host}/blog.git`);
  const config = await readFile(join(dir.path, '.git/config'), 'utf8');
  expect(config).toContain(`helper = !${resolve('cli/kith')} git:credentials\n`);
  expect(config).not.toContain('secret');
  expect((await runKith(['config'], { env, cwd: dir.path })).status).toBe(0);
});

test('git gets the password from the helper that the remote was set up with', async () => {
  await using dir = await repository();
  await using data = await tempDir();
  await writeFile(join(data.path, 'token'), 'kith-local\n');
  await using stub = await StubApi.start(join(data.path, 'kith.sock'));
  stub
    .on('GET /apps/blog', appOf())
    .on('GET /kith/peers', [
      peerOf({ self: false, addresses: { mesh: [], api: '10.0.0.9:5001', http: null } }),
      peerOf({ addresses: { mesh: [], api: '0.0.0.0:5001', http: null } }),
    ]);
  const ran = await runKith(['git:remote', '-a', 'blog', '--data', data.path], { cwd: dir.path });
  expect(ran.stdout).toBe('set git remote kith to http://127.0.0.1:5001/blog.git\n');
  // Twice, for a remote that is there already.
  expect((await runKith(['git:remote', '-a', 'blog', '--data', data.path], { cwd: dir.path })).status).toBe(
    0,
  );
  const filled = execFileSync('git', ['credential', 'fill'], {
    cwd: dir.path,
    env: { ...process.env, HOME: '/nonexistent', GIT_TERMINAL_PROMPT: '0' },
    input: 'protocol=http\nhost=127.0.0.1:5001\n\n',
    encoding: 'utf8',
  });
  expect(filled).toContain('username=kith\npassword=kith-local\n');
});

test('the credential helper gives a saved token to its host, nothing to others, and stores nothing', async () => {
  await using home = await tempDir();
  await mkdir(join(home.path, '.config/kith'), { recursive: true });
  const hosts = { default: null, hosts: { 'http://10.0.0.2:5001': { token: 'kith-tok', user: 'ada' } } };
  await writeFile(join(home.path, '.config/kith/hosts.json'), JSON.stringify(hosts));
  const env = { HOME: home.path, KITH_DATA: join(home.path, 'none') };
  const ask = (operation: string, host: string) =>
    runKith(['git:credentials', operation], { env, stdin: `protocol=http\nhost=${host}\n\n` });
  expect((await ask('get', '10.0.0.2:5001')).stdout).toBe('username=kith\npassword=kith-tok\n');
  expect((await ask('get', '10.0.0.3:5001')).stdout).toBe('');
  expect(await ask('store', '10.0.0.2:5001')).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('outside of a repository a remote cannot be added', async () => {
  await using dir = await tempDir();
  await using stub = await StubApi.start();
  stub.on('GET /apps/blog', appOf());
  const ran = await runKith(['git:remote', '-a', 'blog', '--host', stub.host], { cwd: dir.path });
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining('no git repository') });
});

test('renaming and destroying an app keep the remote true', async () => {
  await using dir = await repository();
  await using stub = await StubApi.start();
  const env = { KITH_HOST: stub.host };
  gitIn(dir.path, 'remote', 'add', 'kith', 'http://another-peer:5001/blog.git');
  gitIn(dir.path, 'remote', 'add', 'near', `http://${stub.host}/blog.git`);
  gitIn(dir.path, 'remote', 'add', 'origin', 'https://git.example.com/ada/blog.git');
  stub.on('PATCH /apps/blog', appOf({ name: 'diary' }));
  await runKith(['apps:rename', 'diary'], { env, cwd: dir.path });
  expect(gitIn(dir.path, 'remote', 'get-url', 'kith')).toBe('http://another-peer:5001/diary.git');
  expect(gitIn(dir.path, 'remote', 'get-url', 'near')).toBe(`http://${stub.host}/diary.git`);
  stub.on('GET /apps/diary', appOf({ name: 'diary' })).on('DELETE /apps/diary', appOf({ name: 'diary' }));
  await runKith(['apps:destroy', '--confirm', 'diary'], { env, cwd: dir.path });
  expect(gitIn(dir.path, 'remote')).toBe('origin');
  expect(gitIn(dir.path, 'remote', 'get-url', 'origin')).toBe('https://git.example.com/ada/blog.git');
});

test('a folder is packed without what git ignores, sent, built, and its output shown', async () => {
  await using dir = await repository();
  await using stub = await StubApi.start();
  await writeFile(join(dir.path, 'Procfile'), 'web: node server.js\n');
  await writeFile(join(dir.path, 'two words.txt'), 'x');
  await writeFile(join(dir.path, '.gitignore'), 'secret.env\n');
  await writeFile(join(dir.path, 'secret.env'), 'x');
  let archive = Buffer.alloc(0);
  stub
    .on('POST /sources', {
      source_blob: { get_url: 'http://elsewhere/sources/s1', put_url: 'http://elsewhere/sources/s1' },
    })
    .on('PUT /sources/s1', (request: Recorded, response: ServerResponse) => {
      archive = Buffer.from(String(request.body), 'latin1');
      response.end('{}');
    })
    .on('POST /apps/blog/builds', buildOf({ status: 'pending' }))
    .on('GET /apps/blog/builds/build-1/output/s3cret', (_request: Recorded, response: ServerResponse) => {
      response.write('-----> Building\n');
      response.end('-----> Done\n');
    })
    .on('GET /apps/blog/builds/build-1', buildOf())
    .on('GET /apps/blog/releases/r7', releaseOf(7));
  stub.bodyEncoding = 'latin1';
  const env = { KITH_HOST: stub.host, KITH_APP: 'blog' };
  const ran = await runKith(['builds:create', '--version', '1.2'], { env, cwd: dir.path });
  expect(ran).toMatchObject({ status: 0, stdout: '-----> Building\n-----> Done\n' });
  expect(ran.stderr).toContain('Released v7 of ⬢ blog');
  expect(stub.sent('POST /apps/blog/builds').body).toEqual({
    source_blob: { url: 'http://elsewhere/sources/s1', version: '1.2' },
  });
  expect(stub.sent('PUT /sources/s1').headers['content-length']).toBe(String(archive.length));
  const files = execFileSync('tar', ['-tzf', '-'], { input: archive, encoding: 'utf8' }).trim().split('\n');
  expect(files.toSorted()).toEqual(['.gitignore', 'Procfile', 'two words.txt']);
});

test('a build that fails ends with an error, after its output', async () => {
  await using stub = await StubApi.start();
  stub
    .on('GET /apps/blog/builds/build-1', buildOf({ status: 'failed' }))
    .on('GET /apps/blog/builds/build-1/output/s3cret', (_request: Recorded, response: ServerResponse) =>
      response.end(' !     no\n'),
    );
  const ran = await runKith(['builds:output', 'build-1', '-a', 'blog', '--host', stub.host]);
  expect(ran).toMatchObject({ status: 1, stdout: ' !     no\n' });
  expect(ran.stderr).toContain('The build failed');
});

test('a folder that is not there is named', async () => {
  await using stub = await StubApi.start();
  const ran = await runKith([
    'builds:create',
    '-a',
    'blog',
    '--host',
    stub.host,
    '--source',
    '/nonexistent/x',
  ]);
  expect(ran).toMatchObject({ status: 1, stderr: expect.stringContaining('Cannot build "/nonexistent/x"') });
});
