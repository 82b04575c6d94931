import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must, run } from '../../scripts/lib/kith.ts';
import { useCluster } from '../cluster/cluster.ts';
import { Heroku } from './heroku.ts';

const cluster = useCluster(3);
const heroku = new Heroku(cluster);
const APP = 'alpha';

test('whoami names the owner of the token', async () => {
  for (const { stdout } of await heroku.everywhere(['auth:whoami'])) expect(stdout).toBe('admin@ash\n');
});

test('these tests catch a command that would leave loopback', async () => {
  const careless = new Heroku(cluster, 'careless');
  await expect(careless.try(['pipelines:connect', 'nothing', '-r', 'some/where'])).rejects.toThrow(
    'left loopback: kolkrabbi.heroku.com',
  );
});

test('without a good token the CLI says that nobody is logged in', async () => {
  const stranger = new Heroku(cluster, 'stranger', () => 'kith-nobody');
  const { status, said } = await stranger.fails('apps');
  expect([status, said]).toEqual([
    1,
    expect.stringContaining('The token provided to HEROKU_API_KEY is invalid'),
  ]);
});

test('an app is created, listed, shown, renamed and destroyed', async () => {
  expect(await heroku.run('apps:create', APP)).toMatch(
    /^http:\/\/alpha\.\S+ \| https:\/\/127\.0\.0\.1:\d+\/alpha\.git$/m,
  );
  const taken = await heroku.fails('apps:create', APP);
  expect(taken).toEqual({ status: 2, said: expect.stringContaining('Name alpha is already taken') });
  await heroku.shows(['apps'], APP);
  await heroku.shows(['apps', '--all'], APP);
  await heroku.shows(['apps:info', '-a', APP], '=== alpha', /Stack: +heroku-24/, /Owner: +admin@ash/);
  expect(await heroku.run('apps:info', '-s', '-a', APP)).toMatch(/^stack=heroku-24$/m);
  expect(await heroku.json('apps:info', '-a', APP)).toMatchObject({ app: { name: APP } });

  await heroku.run('apps:rename', 'omega', '-a', APP);
  await heroku.shows(['apps'], 'omega');
  await heroku.run('apps:create', '--no-remote', APP);
  await heroku.fails('apps:destroy', '-a', 'omega', '--confirm', 'wrong');
  await heroku.run('apps:destroy', '-a', 'omega', '--confirm', 'omega');
  await heroku.shows(['apps'], /^ *alpha/m);
  const gone = await heroku.fails('apps:info', '-a', 'omega');
  expect(gone).toEqual({ status: 2, said: expect.stringContaining('Couldn\'t find the app "omega"') });
});

test('config vars are set, shown, read one by one, and unset', async () => {
  await heroku.shows(['apps'], APP);
  const { stderr } = await heroku.try(['config:set', 'GREETING=hello world', 'EMPTY=', '-a', APP]);
  expect(stderr).toMatch(/done, v\d+/);
  // v3, unless a peer that stood still had its work done by another too.
  const version = Number(/done, v(\d+)/.exec(stderr)?.[1]);
  expect(version).toBeGreaterThanOrEqual(3);
  await heroku.shows(['config', '-a', APP], /^EMPTY: +''$/m, /^GREETING: +hello world$/m);
  expect(await heroku.run('config:get', 'GREETING', '-a', APP)).toBe('hello world\n');
  expect(await heroku.run('config:get', 'NOTHING', '-a', APP)).toBe('\n');
  expect(await heroku.run('config', '-s', '-a', APP)).toContain("GREETING='hello world'");
  expect(await heroku.json('config', '-a', APP)).toEqual({ EMPTY: '', GREETING: 'hello world' });
  expect((await heroku.try(['config:unset', 'EMPTY', '-a', APP])).stderr).toContain(`v${version + 1}`);
  await heroku.shows(
    ['releases', '-a', APP],
    new RegExp(String.raw`^ *v${version + 1} +Remove EMPTY config vars`, 'm'),
    'Set EMPTY, GREETING config vars',
  );
});

test('maintenance mode is switched on and off', async () => {
  await heroku.run('maintenance:on', '-a', APP);
  await heroku.shows(['maintenance', '-a', APP], /^on$/m);
  await heroku.run('maintenance:off', '-a', APP);
  await heroku.shows(['maintenance', '-a', APP], /^off$/m);
});

test('features and labs are listed, shown, enabled and disabled', async () => {
  const METRICS = 'log-runtime-metrics';
  await heroku.shows(['features', '-a', APP], '=== App Features');
  await heroku.run('features:enable', METRICS, '-a', APP);
  await heroku.shows(['features:info', METRICS, '-a', APP], /Enabled: +true/);
  await heroku.run('features:disable', METRICS, '-a', APP);
  await heroku.shows(['labs', '-a', APP], `[ ] ${METRICS}`);
  await heroku.run('labs:enable', METRICS, '-a', APP);
  await heroku.shows(['labs:info', METRICS, '-a', APP], /Enabled: +true/);
  await heroku.shows(['labs', '-a', APP], `[+] ${METRICS}`);
  await heroku.run('labs:disable', METRICS, '-a', APP);
  await heroku.shows(['labs', '-a', APP], `[ ] ${METRICS}`);
  const unknown = await heroku.fails('labs:enable', 'spaceships', '-a', APP);
  expect(unknown).toEqual({ status: 2, said: expect.stringContaining('spaceships') });
});

test('domains are added, shown, waited for, removed and cleared', async () => {
  expect(await heroku.run('domains:add', 'www.example.com', '-a', APP)).toContain('alpha.');
  await heroku.run('domains:add', '*.shop.example.com', '-a', APP);
  await heroku.shows(['domains', '-a', APP], 'www.example.com', '*.shop.example.com');
  expect(await heroku.run('domains:info', 'www.example.com', '-a', APP)).toMatch(/kind: +custom/);
  await heroku.run('domains:wait', 'www.example.com', '-a', APP);
  const taken = await heroku.fails('domains:add', 'www.example.com', '-a', APP);
  expect(taken).toEqual({ status: 2, said: expect.stringContaining('already added to this app') });
  await heroku.run('domains:remove', 'www.example.com', '-a', APP);
  await heroku.shows(['domains', '-a', APP], /^((?!www\.example)[^])*$/);
  await heroku.run('domains:clear', '-a', APP);
  await heroku.shows(['domains', '-a', APP], /^((?!example)[^])*$/);
});

test('buildpacks are set by name or URL, added, shown, removed and cleared', async () => {
  const [NODE, URL] = ['heroku/nodejs', 'https://example.com/pack.tgz'];
  await heroku.run('buildpacks:set', NODE, '-a', APP);
  await heroku.shows(['buildpacks', '-a', APP], NODE);
  await heroku.run('buildpacks:add', URL, '-a', APP);
  await heroku.shows(['buildpacks', '-a', APP], `1. ${NODE}`, `2. ${URL}`);
  await heroku.run('buildpacks:remove', NODE, '-a', APP);
  await heroku.shows(['buildpacks', '-a', APP], URL, /^((?!nodejs)[^])*$/);
  await heroku.run('buildpacks:clear', '-a', APP);
  await heroku.shows(['buildpacks', '-a', APP], 'has no Buildpack');
  const unknown = await heroku.fails('buildpacks:set', 'heroku/cobol', '-a', APP);
  expect(unknown).toEqual({ status: 2, said: expect.stringContaining('no buildpack has that name') });
});

test('stacks and regions are listed', async () => {
  expect(await heroku.run('apps:stacks', '-a', APP)).toContain('* heroku-24');
  expect(await heroku.run('regions')).toContain('Common Runtime');
});

test('git:remote points a repository to the app', async () => {
  const repo = join(heroku.home, 'repo');
  mkdirSync(repo, { recursive: true });
  must(await run('git', ['init', '-q'], { cwd: repo }));
  const { stdout, status } = await heroku.try(['git:remote', '-a', APP], { cwd: repo });
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/set git remote heroku to https:\/\/127\.0\.0\.1:\d+\/alpha\.git/),
  ]);
});
