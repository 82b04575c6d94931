import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';
import { runKith } from './run-kith.ts';
import { StubApi, type Recorded } from './stub-api.ts';

/** Lets in who bears this token. */
function guard(stub: StubApi, token: string): void {
  stub.on('GET /account', ({ headers }: Recorded, response: ServerResponse) => {
    const isKnown = headers['authorization'] === `Bearer ${token}`;
    response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(isKnown ? { email: 'ada@example.com' } : { id: 'unauthorized', message: 'no' }),
    );
  });
}

test('a login is tried, saved for its owner only, and used from then on', async () => {
  await using home = await tempDir();
  await using stub = await StubApi.start();
  guard(stub, 'kith-tok');
  const env = { HOME: home.path, KITH_DATA: '' };
  const login = await runKith(['login', stub.host], { env, stdin: 'kith-tok\n' });
  expect(login).toMatchObject({ status: 0, stdout: `Logged in to http://${stub.host} as ada@example.com\n` });
  const path = join(home.path, '.config/kith/hosts.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    default: `http://${stub.host}`,
    hosts: { [`http://${stub.host}`]: { token: 'kith-tok', user: 'ada@example.com' } },
  });
  expect((await runKith(['whoami', '--host', stub.host], { env })).stdout).toBe('ada@example.com\n');
  expect((await runKith(['logout', stub.host], { env })).stdout).toBe(`Logged out of http://${stub.host}\n`);
  expect((await runKith(['whoami', '--host', stub.host], { env })).status).toBe(100);
});

test('a token that is not accepted is not saved', async () => {
  await using home = await tempDir();
  await using stub = await StubApi.start();
  guard(stub, 'kith-tok');
  const ran = await runKith(['login', stub.host], { env: { HOME: home.path }, stdin: 'wrong' });
  expect(ran.status).toBe(2);
  expect(ran.stderr).toBe(
    ` ›   ${stub.host} does not accept the token\n ›   Log in with \`kith login --host ${stub.host}\`, or set KITH_TOKEN\n`,
  );
  await expect(stat(join(home.path, '.config'))).rejects.toThrow('ENOENT');
});

test('without a token the hint says how to get in', async () => {
  await using stub = await StubApi.start();
  guard(stub, 'kith-tok');
  const ran = await runKith(['whoami', '--host', stub.host]);
  expect(ran.status).toBe(100);
  expect(ran.stderr).toContain(`${stub.host} does not accept requests without a token`);
  expect(ran.stderr).toContain('kith login');
});

test('where nothing listens, the hint says what to try', async () => {
  const stub = await StubApi.start();
  const { host } = stub;
  await stub[Symbol.asyncDispose]();
  expect(await runKith(['apps', '--host', host])).toEqual({
    status: 1,
    stdout: '',
    stderr: ` ›   Cannot reach the peer at "${host}": nothing listens there\n ›   Is its agent running? Try another peer with --host HOST or KITH_HOST\n`,
  });
});

test('the agent of this machine is spoken to by its socket, without a token', async () => {
  await using dir = await tempDir();
  const none = await runKith(['apps', '--data', dir.path]);
  expect(none.status).toBe(1);
  expect(none.stderr).toContain(`No agent answers on this machine at "${dir.path}/kith.sock"`);
  expect(none.stderr).toContain('Start one with `kith agent`');
  await using stub = await StubApi.start(join(dir.path, 'kith.sock'));
  stub.on('GET /apps', []);
  expect((await runKith(['apps', '--data', dir.path])).status).toBe(0);
  expect((await runKith(['apps'], { env: { KITH_DATA: dir.path } })).status).toBe(0);
  expect((await runKith(['apps', '--host', stub.host], { env: { KITH_TOKEN: 'unused' } })).status).toBe(0);
  expect(stub.requests.every(({ headers }) => headers['authorization'] === undefined)).toBe(true);
});

test("a peer's refusal is shown with its hint, and ends with status 2", async () => {
  await using stub = await StubApi.start();
  stub.refuse('GET /apps', 503, {
    id: 'unavailable',
    message: 'The ledger is loading',
    hint: 'Try again in a moment',
  });
  expect(await runKith(['apps', '--host', stub.host])).toEqual({
    status: 2,
    stdout: '',
    stderr: ' ›   The ledger is loading\n ›   Try again in a moment\n',
  });
});

test('a host that is no peer is told as such', async () => {
  await using stub = await StubApi.start();
  stub.on('GET /apps', (_request: Recorded, response: ServerResponse) => response.end('<html>'));
  const ran = await runKith(['apps', '--host', stub.host]);
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain('does not answer as a peer of Kith does');
});

test('a write whose connection breaks is sent again as the same request', async () => {
  await using stub = await StubApi.start();
  stub.on('PATCH /apps/blog', ({ headers }: Recorded, response: ServerResponse) => {
    if (stub.requests.length === 1) response.destroy();
    else response.end(JSON.stringify({ id: headers['request-id'] }));
  });
  const ran = await runKith(['maintenance:on', '-a', 'blog', '--json', '--host', stub.host]);
  expect(ran.status).toBe(0);
  const [first, second] = stub.requests;
  expect(first?.headers['request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(second?.headers['request-id']).toBe(first?.headers['request-id']);
});

test('the app comes from --app, KITH_APP or the git remote, and is asked for where there is none', async () => {
  await using stub = await StubApi.start();
  stub.on('GET /apps/from-flag/config-vars', {}).on('GET /apps/from-env/config-vars', {});
  const env = { KITH_HOST: stub.host, KITH_APP: 'from-env' };
  await runKith(['config', '-a', 'from-flag'], { env });
  await runKith(['config'], { env });
  expect(stub.asked).toEqual(['GET /apps/from-flag/config-vars', 'GET /apps/from-env/config-vars']);
  const none = await runKith(['config'], { env: { KITH_HOST: stub.host } });
  expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining('No app was named\n') });
});

test('saved logins that cannot be read are told, not guessed at', async () => {
  await using home = await tempDir();
  await mkdir(join(home.path, '.config/kith'), { recursive: true });
  await writeFile(join(home.path, '.config/kith/hosts.json'), '{');
  const ran = await runKith(['apps', '--host', '127.0.0.1:1'], { env: { HOME: home.path } });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(/hosts\.json": it is no JSON/);
});
