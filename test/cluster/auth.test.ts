import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must, run, type Ran } from '../../scripts/lib/kith.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import type { TokenResource } from '../../src/platform/token.ts';
import { useCluster } from './cluster.ts';

const cluster = useCluster(2);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');

/** Runs the CLI as somebody who has only what `env` gives, with an own home. */
function remotely(args: readonly string[], env: Readonly<Record<string, string>>, input = ''): Promise<Ran> {
  const home = join(cluster.dir, 'home');
  mkdirSync(home, { recursive: true });
  const clean = { HOME: home, XDG_CONFIG_HOME: join(home, '.config'), KITH_TOKEN: '', KITH_HOST: '' };
  return run(join(ROOT, 'cli', 'kith'), args, { cwd: '/', env: { ...clean, ...env }, input });
}

function status(path: string, token: string | null, method = 'GET'): Promise<number> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  return birch.inStep(async () => (await fetch(`${birch.api}${path}`, { method, headers })).status);
}

test('without a token that is known, everything but health is refused with 401', async () => {
  const paths = [
    '/apps',
    '/account',
    '/kith/peers',
    '/kith/tokens',
    '/kith/cluster',
    '/nothing',
    '/hello.git/info/refs?service=git-receive-pack',
  ];
  for (const path of paths) {
    expect([path, await status(path, null)]).toEqual([path, 401]);
    expect([path, await status(path, 'kith-0000')]).toEqual([path, 401]);
  }
  expect(await status('/apps', null, 'POST')).toBe(401);
  expect(await status('/kith/invites', null, 'POST')).toBe(401);
  expect(await status('/health', null)).toBe(200);
  const { stderr, status: ended } = await remotely(['apps'], { KITH_HOST: birch.api });
  expect(ended).not.toBe(0);
  expect(stderr).toMatch(/login/);
});

test("each peer's own token lies in its folder, for its owner only, and works at any peer", async () => {
  for (const peer of cluster.peers) {
    expect(statSync(join(peer.dir, 'token')).mode & 0o777).toBe(0o600);
    expect(statSync(join(peer.dir, 'key')).mode & 0o777).toBe(0o600);
    expect(statSync(peer.dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(peer.dir, 'kith.sock')).mode & 0o077).toBe(0);
  }
  const { stdout } = must(await remotely(['peers'], { KITH_HOST: birch.api, KITH_TOKEN: ash.token }));
  expect(stdout).toContain('ash');
  expect(must(await remotely(['peers', '--host', ash.api], { KITH_TOKEN: birch.token })).stdout).toContain(
    'birch',
  );
});

test("the agent's Unix socket needs no token", async () => {
  const socket = { KITH_HOST: `unix:${join(birch.dir, 'kith.sock')}` };
  expect(must(await remotely(['peers'], socket)).stdout).toContain('birch *');
  expect(must(await remotely(['peers', '--data', ash.dir], {})).stdout).toContain('ash *');
});

test("a person's token works at every peer at once, signs what they do, and dies when revoked", async () => {
  const made = await ash.json<TokenResource>(['tokens:create', 'ada@example.com', '-d', 'laptop']);
  const token = made.token ?? '';
  expect(token).toMatch(/^kith-/);
  expect(await status('/apps', token)).toBe(200);
  const ada = { KITH_HOST: birch.api, KITH_TOKEN: token };
  expect(must(await remotely(['auth:whoami'], ada)).stdout).toContain('ada@example.com');
  await birch.inStep(async () => {
    must(await remotely(['apps:create', 'engine', '--no-remote'], ada));
    must(await remotely(['config:set', 'A=1', '-a', 'engine'], ada));
  });
  const releases = await ash.json<readonly ReleaseResource[]>(['releases', '-a', 'engine']);
  expect(releases[0]?.user.email).toBe('ada@example.com');

  expect(await birch.kith(['tokens'])).toContain('laptop');
  await birch.kith(['tokens:revoke', made.id]);
  expect(await status('/apps', token)).toBe(401);
  const refused = await remotely(['apps'], ada);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).not.toContain(token);
  expect(await ash.kith(['tokens'])).not.toContain('laptop');
});

test('login tries a token, keeps it for its peer, and logout forgets it', async () => {
  const wrong = await remotely(['login', ash.api], {}, 'kith-wrong\n');
  expect(wrong.status).not.toBe(0);
  must(await remotely(['login', ash.api], {}, `${ash.token}\n`));
  expect(must(await remotely(['peers'], { KITH_HOST: ash.api })).stdout).toContain('ash *');
  const saved = join(cluster.dir, 'home', '.config', 'kith', 'hosts.json');
  expect(statSync(saved).mode & 0o777).toBe(0o600);
  must(await remotely(['logout', ash.api], {}));
  expect((await remotely(['peers'], { KITH_HOST: ash.api })).status).not.toBe(0);
});
