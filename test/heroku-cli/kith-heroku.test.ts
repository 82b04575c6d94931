import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must, run, type Ran } from '../../scripts/lib/kith.ts';
import { writeApp } from '../cluster/apps.ts';
import { inviteOf, useCluster, WAIT_MS } from '../cluster/cluster.ts';
import { Repo } from '../cluster/repo.ts';
import { eventually } from '../helpers/eventually.ts';
import { openTerminal } from '../helpers/terminal.ts';

const TEST_MS = 600_000;
const KITH = join(ROOT, 'cli', 'kith');
const APP = 'near';
const cluster = useCluster(1);
const ash = cluster.peer('ash');
/** A peer whose address is loopback to us, and any machine at all to the official CLI. */
const far = cluster.stranger('far');
afterAll(() => far.kill());

/** Somebody with a home of their own and nothing in it. */
function person(peer: 'near' | 'far'): Record<string, string> {
  const home = join(cluster.dir, `home-${peer}`);
  mkdirSync(home, { recursive: true });
  const reach =
    peer === 'near'
      ? { KITH_HOST: `unix:${join(ash.dir, 'kith.sock')}` }
      : { KITH_HOST: far.api, KITH_TOKEN: ash.token };
  return {
    ...(process.env as Record<string, string>),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    NO_COLOR: '1',
    TERM: 'dumb',
    ...reach,
  };
}

function kithHeroku(peer: 'near' | 'far', args: readonly string[], input = ''): Promise<Ran> {
  return run(KITH, ['heroku', ...args], { cwd: '/', env: person(peer), input, withinMs: 120_000 });
}

test(
  'a command of the official CLI runs against the agent of this machine',
  { timeout: TEST_MS },
  async () => {
    expect(must(await kithHeroku('near', ['auth:whoami'])).stdout).toBe('admin@ash\n');
    must(await kithHeroku('near', ['apps:create', APP, '-b', 'heroku/procfile']));
    expect(must(await kithHeroku('near', ['apps:info', '--json', '-a', APP])).stdout).toContain(
      '"name": "near"',
    );
    expect((await kithHeroku('near', ['apps:info', '-a', 'nothing'])).status).toBe(2);
    expect((await kithHeroku('near', ['no-such-command'])).status).toBe(127);
  },
);

test('a peer on another machine is reached by a forwarder', { timeout: TEST_MS }, async () => {
  await far.start({ args: ['--host', '127.0.0.2', '--join', await inviteOf(ash)] });
  expect(far.api).toContain('//127.0.0.2:');
  // It has come up, and is told of what there is.
  await eventually(async () => (await far.kith(['apps'])).includes(APP), { withinMs: WAIT_MS });
  expect(must(await kithHeroku('far', ['auth:whoami'])).stdout).toBe('admin@ash\n');
  expect(must(await kithHeroku('far', ['apps', '--all'])).stdout).toContain(APP);
});

test(
  'git push works in a shell with the environment, and run in a terminal',
  { timeout: TEST_MS },
  async () => {
    const repo = await Repo.create(join(cluster.dir, 'source'), {}, writeApp(join(cluster.dir, 'app')));
    const script = `set -e; eval "$("${KITH}" heroku --env)"; heroku git:remote -a ${APP}; git push heroku HEAD:main`;
    const pushed = must(
      await run('sh', ['-c', script], { cwd: repo.dir, env: person('near'), withinMs: TEST_MS }),
    );
    expect(pushed.stderr).toContain('Verifying deploy... done');
    for (const peer of ['near', 'far'] as const) {
      using terminal = openTerminal(KITH, ['heroku', 'run', '-x', '-a', APP, 'bash --norc'], person(peer));
      await terminal.shows(/up, run\.\d+/);
      terminal.type('stty size\r');
      await terminal.shows(/30 100/);
      terminal.type('sleep 1000; echo after\r');
      await terminal.shows(/sleep 1000; echo after\r*\n/);
      terminal.type('\u0003');
      await terminal.shows(/\^C/);
      terminal.type('(exit 9); exit\r');
      expect(await terminal.ended).toBe(9);
    }
  },
);

test('the token is in no argument of a process', { timeout: TEST_MS }, async () => {
  using child = spawn(KITH, ['heroku', 'run', '-a', APP, 'echo up; cat'], {
    cwd: '/',
    env: person('near'),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  const lines = readdirSync('/proc').flatMap((pid) => commandLine(pid));
  expect(lines.some((line) => line.includes('heroku\0run'))).toBe(true);
  expect(lines.some((line) => line.includes(ash.token))).toBe(false);
  child.stdin.end();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

function commandLine(pid: string): readonly string[] {
  try {
    return /^\d+$/.test(pid) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
  } catch {
    // It ended while we looked.
    return [];
  }
}

test(
  'the environment of a far peer works while --forward runs, from the same port each time',
  { timeout: TEST_MS },
  async () => {
    const env = person('far');
    const printed = must(await kithHeroku('far', ['--env']));
    expect(printed.stderr).toContain('kith heroku --env --forward');
    using forwarder = spawn(KITH, ['heroku', '--env', '--forward'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines: string[] = [];
    const reader = createInterface({ input: forwarder.stdout }).on('line', (line) => lines.push(line));
    while (!lines.some((line) => line.startsWith('export DISABLE_TELEMETRY='))) await once(reader, 'line');
    expect(lines[0]).toBe(printed.stdout.split('\n', 1)[0]);
    expect(lines[0]).toMatch(/^export HEROKU_HOST=https:\/\/127\.0\.0\.1:2\d{4}$/);
    const script = 'eval "$(cat)"; heroku auth:whoami';
    expect(must(await run('sh', ['-c', script], { cwd: '/', env, input: printed.stdout })).stdout).toBe(
      'admin@ash\n',
    );
    // A command beside it finds another port.
    expect(must(await kithHeroku('far', ['auth:whoami'])).stdout).toBe('admin@ash\n');
    forwarder.kill('SIGTERM');
    expect(await once(forwarder, 'exit')).toEqual([0, null]);
  },
);

test('whoever has no command or no token is told so', { timeout: TEST_MS }, async () => {
  expect((await kithHeroku('near', [])).stderr).toContain('No command was given');
  expect((await kithHeroku('near', ['--forward', 'apps'])).stderr).toContain('--forward goes with --env');
  const env = { ...person('far'), KITH_TOKEN: '' };
  const { status, stderr } = await run(KITH, ['heroku', 'apps'], { cwd: '/', env });
  expect([status, stderr]).toEqual([1, expect.stringContaining('kith login')]);
});

test("the cluster's CA is written for TLS to trust, and the API gives it out", async () => {
  const { stdout } = must(await kithHeroku('near', ['--env', '--json']));
  const env = JSON.parse(stdout) as Record<string, string>;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request(`${ash.api}/kith/ca.pem`, (response) => {
    response.setEncoding('utf8').on('data', resolve);
  });
  asked.on('error', reject).end();
  expect(readFileSync(env['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8')).toContain((await promise).trim());
});
