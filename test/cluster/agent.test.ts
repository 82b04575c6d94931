import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { Ready } from '../../agent/agent.ts';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { appRequest } from '../../scripts/lib/app-request.ts';
import { hostProcesses } from '../../scripts/lib/host-processes.ts';
import { run } from '../../scripts/lib/kith.ts';
import { eventually } from '../helpers/eventually.ts';
import { answers, deploy, formationMet, keepAsking, spreadOut, writeApp } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';

const cluster = useCluster(2);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const LONG = { timeout: 480_000 };

/** Starts an agent with exactly these settings; it is killed by the callback's end, whatever happens. */
async function agentWith(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  umask = '022',
): Promise<{ line: string; stop: () => Promise<number | null> }> {
  const kith = join(ROOT, 'cli', 'kith');
  const child = spawn('sh', ['-c', `umask ${umask}; exec "$@"`, 'sh', kith, 'agent', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  const lines = createInterface({ input: child.stdout });
  const within = AbortSignal.timeout(WAIT_MS);
  const [line] = (await once(lines, 'line', { signal: within }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  })) as [string];
  return {
    line,
    async stop() {
      child.kill('SIGTERM');
      const [status] = (await once(child, 'exit', { signal: AbortSignal.timeout(WAIT_MS) })) as [
        number | null,
      ];
      return status;
    },
  };
}

/** @returns the status and stderr of an agent that is expected not to start */
async function refused(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = await run(join(ROOT, 'cli', 'kith'), ['agent', ...args], {
    cwd: '/',
    env,
    withinMs: WAIT_MS,
  });
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^ +at /m);
  expect(status).toBe(1);
  return stderr;
}

test('a ready agent says so in one line of JSON, with addresses that answer', async () => {
  const { ready } = ash.agent;
  expect(ready).toMatchObject({ ready: true, name: 'ash', runtime: 'process' });
  expect(ready.peer).toMatch(/^12D3Koo/);
  expect(ready.api).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  expect(ready.http).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  expect(ready.mesh).toEqual([
    expect.stringMatching(new RegExp(`^/ip4/127\\.0\\.0\\.1/tcp/[1-9]\\d*/p2p/${ready.peer}$`)),
  ]);
  expect((await fetch(`${ready.api}/health`)).status).toBe(200);
  expect((await fetch(ready.http)).status).toBe(404);
});

test('flags come before the environment, and that before the config file', LONG, async () => {
  const dir = join(cluster.dir, 'settings');
  mkdirSync(dir);
  const file = join(cluster.dir, 'agent.json');
  writeFileSync(
    file,
    JSON.stringify({ host: '127.0.0.3', http: 0, api: 0, mesh: 0, name: 'file', domain: 'x.test' }),
  );
  const agent = await agentWith(['--name', 'flag'], {
    KITH_DATA: dir,
    KITH_CONFIG: file,
    KITH_HOST: '127.0.0.2',
    KITH_NAME: 'env',
  });
  try {
    expect(JSON.parse(agent.line)).toMatchObject({
      name: 'flag',
      api: expect.stringMatching(/^http:\/\/127\.0\.0\.2:\d+$/),
    });
  } finally {
    expect(await agent.stop()).toBe(0);
  }
  await eventually(() => hostProcesses(dir).length === 0, { withinMs: WAIT_MS });
});

test('where new files are hidden from other users, apps are built and run all the same', LONG, async () => {
  const dir = join(cluster.dir, 'hidden');
  const loopback = ['--host', '127.0.0.1', '--http', '0', '--api', '0', '--mesh', '0'];
  const agent = await agentWith(['--data', dir, ...loopback, '--runtime', 'process'], {}, '077');
  try {
    const { api, http } = JSON.parse(agent.line) as Ready;
    const env = { KITH_HOST: api, KITH_TOKEN: readFileSync(join(dir, 'token'), 'utf8').trim() };
    for (const args of [
      ['apps:create', 'hidden', '--no-remote'],
      ['buildpacks:set', 'procfile', '-a', 'hidden'],
      ['builds:create', '--source', writeApp(join(cluster.dir, 'hidden-app')), '-a', 'hidden'],
    ]) {
      const ran = await run(join(ROOT, 'cli', 'kith'), args, { cwd: '/', env, withinMs: WAIT_MS });
      expect(ran).toMatchObject({ status: 0 });
    }
    await eventually(async () => (await appRequest(http, 'hidden')).body.startsWith('one web.1'), {
      withinMs: WAIT_MS,
    });
  } finally {
    expect(await agent.stop()).toBe(0);
  }
});

test('wrong settings are refused in words, each naming what is wrong', LONG, async () => {
  const dir = join(cluster.dir, 'wrong');
  mkdirSync(dir);
  const file = join(dir, 'agent.json');
  expect(await refused(['--data', dir, '--http', 'eighty'])).toContain('"eighty" as the http port');
  expect(await refused(['--data', dir], { KITH_MESH: '70000' })).toContain('"70000" as the mesh port');
  expect(await refused(['--data', dir, '--runtime', 'podman'])).toContain('runtime "podman"');
  expect(await refused(['--data', dir, '--colour', 'red'])).toContain("'--colour'");
  expect(await refused(['--data', dir, '--config', file])).toContain(`config file "${file}"`);
  writeFileSync(file, '{"port": 1}');
  expect(await refused(['--config', file])).toContain('unknown setting "port"');
  writeFileSync(file, '{"http": ');
  expect(await refused(['--config', file])).toContain('is no JSON');
  const loopback = ['--host', '127.0.0.1', '--http', '0', '--api', '0', '--mesh', '0'];
  expect(await refused(['--data', file, ...loopback])).toContain(`data directory "${file}"`);
  expect(await refused(['--data', dir, ...loopback, '--join', 'kith1.x'])).toContain('token is damaged');
  expect(await refused(['--data', join(dir, 'b'), ...loopback, '--host', '203.0.113.9'])).toMatch(
    /203\.0\.113\.9/,
  );
});

test('a port or a data directory that another agent has is refused by name', LONG, async () => {
  const loopback = ['--host', '127.0.0.1', '--http', '0', '--mesh', '0'];
  const { port } = new URL(ash.api);
  expect(await refused(['--data', join(cluster.dir, 'taken'), ...loopback, '--api', port])).toContain(port);
  await eventually(() => hostProcesses(join(cluster.dir, 'taken')).length === 0, { withinMs: WAIT_MS });
  expect(await refused(['--data', ash.dir, ...loopback, '--api', '0'])).toContain('another agent');
  expect((await ash.peers()).length).toBe(2);
});

test(
  'SIGHUP ends the agent alone: its dynos and router serve on and the next agent adopts them',
  LONG,
  async () => {
    await deploy(ash, 'steady', writeApp(join(cluster.dir, 'steady')));
    await spreadOut(birch, 'steady', { web: 2 }, 2);
    const before = await formationMet(birch, 'steady', 2, spread);
    for (const peer of [ash, birch]) await answers(peer, 'steady', /^one web\.\d/);
    const asking = keepAsking(birch, 'steady');
    ash.agent.signalAgent('SIGHUP');
    await ash.agent.exited();
    expect(ash.agent.child.exitCode).toBe(0);
    expect((await ash.request('steady')).body).toMatch(/^one web\.\d/);
    await ash.start();
    await cluster.allAlive();
    const after = await formationMet(ash, 'steady', 2);
    expect(after.map(({ id }) => id).toSorted()).toEqual(before.map(({ id }) => id).toSorted());
    expect(await asking.stop()).toEqual([]);
  },
);

test('SIGTERM hands every dyno over before it goes, and a second one does not wait', LONG, async () => {
  await deploy(ash, 'steady', writeApp(join(cluster.dir, 'steady')));
  await formationMet(ash, 'steady', 2, spread);
  const asking = keepAsking(birch, 'steady');
  ash.agent.signalAgent('SIGTERM');
  await ash.agent.exited();
  expect(ash.agent.child.exitCode).toBe(0);
  await formationMet(birch, 'steady', 2, (dynos) => dynos.every(({ peer }) => peer.id === birch.id));
  expect(await asking.stop()).toEqual([]);
  await eventually(() => hostProcesses(ash.dir).length === 0, { withinMs: WAIT_MS });

  await ash.start();
  await cluster.allAlive();
  // A dyno that heeds no SIGTERM keeps the agent draining for half a minute.
  const stubborn = join(cluster.dir, 'stubborn');
  mkdirSync(stubborn);
  writeFileSync(join(stubborn, 'Procfile'), "worker: trap '' TERM; while :; do sleep 1; done\n");
  await deploy(birch, 'stubborn', stubborn);
  await spreadOut(birch, 'stubborn', { worker: 2 }, 2);
  await formationMet(birch, 'stubborn', 2, spread);
  ash.agent.signalAgent('SIGTERM');
  await eventually(async () => (await birch.peers()).find(({ name }) => name === 'ash')?.draining === true, {
    withinMs: WAIT_MS,
  });
  ash.agent.signalAgent('SIGTERM');
  await ash.agent.exited();
  expect(ash.agent.child.exitCode).toBe(1);
  await ash.start();
  await cluster.allAlive();
});

function spread(dynos: readonly { peer: { id: string } }[]): boolean {
  return new Set(dynos.map(({ peer }) => peer.id)).size === 2;
}
