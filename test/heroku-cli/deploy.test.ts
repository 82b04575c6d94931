import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must, run, type Ran } from '../../scripts/lib/kith.ts';
import type { DynoResource } from '../../src/platform/dyno.ts';
import { answers, formationMet, writeApp } from '../cluster/apps.ts';
import { useCluster } from '../cluster/cluster.ts';
import { Repo } from '../cluster/repo.ts';
import { Heroku, PROGRAM } from './heroku.ts';
import { openTerminal } from '../helpers/terminal.ts';

const TEST_MS = 600_000;
const APP = 'shop';
const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const [ash, birch] = [cluster.peer('ash'), cluster.peer('birch')];
let repo: Repo;

/** `heroku git:remote`, then a plain `git push` with what the CLI set up: at one peer, and at another the next time. */
async function push(): Promise<Ran> {
  const peer = heroku.next();
  const env = await heroku.env(peer);
  must(await run(PROGRAM, ['git:remote', '-a', APP], { cwd: repo.dir, env, isBare: true }));
  return run('git', ['push', 'heroku', 'HEAD:main'], { cwd: repo.dir, env, isBare: true, withinMs: TEST_MS });
}

test(
  'git push deploys with the credentials of the CLI, over HTTPS, at any peer',
  { timeout: TEST_MS },
  async () => {
    repo = await Repo.create(join(cluster.dir, 'source'), {}, writeApp(join(cluster.dir, 'app')));
    await heroku.run('apps:create', APP, '--no-remote', '-b', 'heroku/procfile');
    await heroku.shows(['buildpacks', '-a', APP], 'heroku/procfile');
    const first = must(await push());
    expect(first.stderr).toMatch(
      /remote: -----> .*[^]*remote: +Released v3[^]*remote: Verifying deploy\.\.\. done\./,
    );
    await repo.commit({ version: 'two', big: 'x'.repeat(2 << 20) });
    expect(must(await push()).stderr).toContain('Released v4');
    expect((await push()).stderr).toContain('Everything up-to-date');
    await heroku.shows(['releases', '-a', APP], 'Current: v4', /v4 +Deploy [0-9a-f]{8} +admin@ash/);
    await formationMet(birch, APP, 1, ([web]) => web?.release.version === 4);
    await answers(birch, APP, /two web\.1/);
  },
);

test('git:clone brings what was pushed, from any peer', { timeout: TEST_MS }, async () => {
  for (const [index] of cluster.peers.entries()) {
    await heroku.run('git:clone', '-a', APP, `clone-${index}`);
    expect(readFileSync(join(heroku.home, `clone-${index}`, 'version'), 'utf8')).toBe('two');
  }
});

test('a stranger pushes nothing', async () => {
  const stranger = new Heroku(cluster, 'stranger', () => 'kith-nobody');
  const env = await stranger.env(ash);
  const url = `https://${new URL(ash.api).host}/${APP}.git`;
  const { status, stderr } = await run('git', ['push', url, 'HEAD:main'], {
    cwd: repo.dir,
    env,
    isBare: true,
  });
  expect([status, stderr]).toEqual([
    128,
    expect.stringMatching(/Authentication failed|could not read Username/),
  ]);
});

test(
  'ps lists dynos, and ps:scale, ps:type, ps:restart, ps:stop and ps:wait act on them',
  { timeout: TEST_MS },
  async () => {
    await heroku.shows(['ps', '-a', APP], /=== web \(\S+\): python3 server\.py \(1\)/, /web\.1: up /);
    await heroku.run('ps:scale', 'web=2', 'worker=1', '-a', APP);
    await heroku.shows(['ps:scale', '-a', APP], /web=2:\S+ worker=1:\S+/);
    await formationMet(ash, APP, 3);
    await heroku.run('ps:wait', '-a', APP);
    await heroku.run('ps:scale', 'web-1', 'worker+1', '-a', APP);
    await heroku.shows(['ps:scale', '-a', APP], /web=1:\S+ worker=2:\S+/);
    await heroku.run('ps:type', 'web=standard-1x', '-a', APP);
    await heroku.shows(['ps:type', '-a', APP], /web +Standard-1X +1/);
    await metEverywhere(3, (dynos) => dynos.find(({ name }) => name === 'web.1')?.size === 'Standard-1X');
    await anew(['web.1'], 'ps:restart', '-a', APP, '-d', 'web.1');
    await anew(['worker.1', 'worker.2'], 'ps:restart', '-a', APP, '-p', 'worker');
    await anew(['web.1', 'worker.1', 'worker.2'], 'ps:restart', '-a', APP);
    await anew(['worker.2'], 'ps:stop', '-a', APP, '-d', 'worker.2');
    await anew(['web.1'], 'ps:stop', '-a', APP, '-p', 'web');
    await heroku.run('ps:scale', 'worker=0', '-a', APP);
    await metEverywhere(1);
  },
);

/** As every peer sees it: a command about dynos goes to any of them. */
async function metEverywhere(
  count: number,
  accepts?: (dynos: readonly DynoResource[]) => boolean,
): Promise<readonly DynoResource[]> {
  let met: readonly DynoResource[] = [];
  for (const peer of cluster.peers) met = await formationMet(peer, APP, count, accepts);
  return met;
}

/** Runs a command by which dynos of these names, of three that are up, are replaced by others. */
async function anew(names: readonly string[], ...command: readonly string[]): Promise<void> {
  const before = new Set((await metEverywhere(3)).map(({ id }) => id));
  await heroku.run(...command);
  await metEverywhere(3, (dynos) => dynos.every(({ id, name }) => !names.includes(name) || !before.has(id)));
}

test('run carries output, input and exit status', { timeout: TEST_MS }, async () => {
  await heroku.run('config:set', 'GREETING=hi there', '-a', APP);
  const command = ['run', '-x', '-a', APP, '--', 'sh', '-c', 'cat; echo "$GREETING"; exit 7'];
  for (const ran of await heroku.everywhere(command, { input: 'from here\n' }))
    expect([ran.status, ran.stdout]).toEqual([7, expect.stringMatching(/from here\n[^]*hi there/)]);
  expect((await heroku.try(['run', '-x', '-a', APP, 'true'])).status).toBe(0);
  expect(await heroku.run('run', '--no-tty', '-a', APP, 'cat version')).toContain('two');
});

test(
  'run gives a terminal, of the size of the own one, and Ctrl-C reaches the command',
  { timeout: TEST_MS },
  async () => {
    const peer = heroku.next();
    const env = await heroku.env(peer);
    using terminal = openTerminal(PROGRAM, ['run', '-x', '-a', APP, 'bash --norc'], env);
    await terminal.shows(/up, run\.\d+/);
    terminal.type('stty size; [ -t 0 ] && echo a $((1+1)) terminal\r');
    await terminal.shows(/30 100/);
    await terminal.shows(/a 2 terminal/);
    terminal.type('sleep 1000; echo after $?\r');
    await terminal.shows(/sleep 1000; echo after \$\?\r*\n/);
    terminal.type('\u0003');
    await terminal.shows(/\^C/);
    terminal.type('(exit 5); exit\r');
    expect(await terminal.ended).toBe(5);
  },
);

test('run:inside enters a running dyno', { timeout: TEST_MS }, async () => {
  await metEverywhere(1);
  expect(await heroku.run('run:inside', '-a', APP, 'web.1', 'echo in $DYNO')).toContain('in web.1');
});

test('run:detached writes to the log', { timeout: TEST_MS }, async () => {
  const ran = must(await heroku.try(['run:detached', '-a', APP, 'echo detached-$((40+2))']));
  expect(`${ran.stdout}${ran.stderr}`).toMatch(/run\.\d+/);
  await heroku.shows(['logs', '-a', APP, '-n', '200'], /app\[run\.\d+\]: detached-42/);
});

test('logs are cut, filtered and followed', { timeout: TEST_MS }, async () => {
  await heroku.shows(
    ['logs', '-a', APP, '-n', '500'],
    /app\[api\]: Set GREETING config vars by user admin@ash/,
    'Release v5 created by user',
  );
  expect((await heroku.run('logs', '-a', APP, '-n', '2')).trim().split('\n')).toHaveLength(2);
  const web = await heroku.shows(['logs', '-a', APP, '-d', 'web.1', '-s', 'app'], 'app[web.1]: listening');
  expect(web).not.toMatch(/heroku\[|app\[api\]/);
  expect(await heroku.run('logs', '-a', APP, '-p', 'web')).toContain('[web.1]');
  const env = await heroku.env(heroku.next());
  using tail = openTerminal(PROGRAM, ['logs', '--tail', '-a', APP], env);
  await tail.shows(/app\[web\.1\]/);
  await heroku.run('config:set', 'LATER=1', '-a', APP);
  await tail.shows(/Set LATER config vars/);
});

test('releases are shown one by one, and rolled back', { timeout: TEST_MS }, async () => {
  await heroku.shows(['releases', '-a', APP], /v6 +Set LATER config vars/);
  expect((await heroku.run('releases', '-a', APP, '-n', '2')).match(/^ *v\d+ /gm)).toHaveLength(2);
  expect(await heroku.json<readonly { version: number }[]>('releases', '-a', APP)).toMatchObject([
    { version: 6 },
    { version: 5 },
    {},
    {},
    {},
    {},
  ]);
  const info = await heroku.run('releases:info', 'v5', '-a', APP);
  expect(info).toMatch(
    /=== Release v5[^]*By: +admin@ash[^]*Change: +Set GREETING config vars[^]*Rollback\?: +Yes/,
  );
  expect(info).toMatch(/=== v5 Config vars\n\nGREETING: hi there/);
  expect((await heroku.fails('releases:info', 'v99', '-a', APP)).status).toBe(2);
  expect(must(await heroku.try(['rollback', '-a', APP])).stderr).toContain('done, v7');
  await heroku.shows(['config', '-a', APP], /^((?!LATER)[^])*$/);
  expect(must(await heroku.try(['releases:rollback', 'v3', '-a', APP])).stderr).toContain('done, v8');
  await heroku.shows(['releases', '-a', APP], 'Rollback to v3', 'Current: v8');
  await formationMet(birch, APP, 1, ([web]) => web?.release.version === 8);
  await answers(birch, APP, /one web\.1/);
});

test(
  'the output of a release command is shown, a failed release is not made current, and is retried',
  { timeout: TEST_MS },
  async () => {
    await heroku.run('config:set', 'READY=yes', '-a', APP);
    await heroku.shows(['releases', '-a', APP], 'Current: v9');
    await repo.commit({ Procfile: 'web: python3 server.py\nrelease: echo migrating; [ "$READY" = yes ]\n' });
    expect(must(await push()).stderr).toContain('migrating');
    await heroku.shows(['releases', '-a', APP], 'Current: v10');
    await heroku.shows(['releases:output', 'v10', '-a', APP], /^migrating$/m);
    await heroku.run('config:set', 'READY=no', '-a', APP);
    await heroku.shows(
      ['releases', '-a', APP],
      /v11 +Set READY config vars release command failed/,
      'Current: v10',
    );
    await heroku.shows(['releases:output', '-a', APP], /^migrating$/m);
    expect((await heroku.try(['releases:output', 'v9', '-a', APP])).stderr).toContain('no release output');
    await heroku.run('config:set', 'READY=yes', '-a', APP);
    await heroku.shows(['releases', '-a', APP], 'Current: v12');
    expect(must(await heroku.try(['releases:retry', '-a', APP])).stderr).toContain('done, v13');
    await heroku.shows(['releases', '-a', APP], /v13 +Retry of v12: Set READY/, 'Current: v13');
    await heroku.shows(['releases:output', 'v13', '-a', APP], /^migrating$/m);
  },
);
