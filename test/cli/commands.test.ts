import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandNames, findCommand } from '../../cli/commands.ts';
import { DYNO_SIZES } from '../../src/dyno-sizes.ts';
import { dynoSizeResource } from '../../src/platform/dyno-sizes.ts';
import { runKith, type Ran } from './run-kith.ts';
import { appOf, buildOf, domainOf, drainOf, dynoOf, formationOf, peerOf, releaseOf } from './resources.ts';
import { StubApi, type Answer } from './stub-api.ts';

/** Runs a command line against the stub, which its token opens. */
function kith(stub: StubApi, line: string): Promise<Ran> {
  const env = { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' };
  return runKith(line.split(' '), { env });
}

const buildpack = (url: string, ordinal = 0) => ({
  ordinal,
  buildpack: { url, name: url.replace('urn:buildpack:', '') },
});
const newest = 'GET /apps/blog/releases';

/** One row a command: what the API holds, what is asked of it, and what is shown. */
const CASES: readonly {
  readonly line: string;
  readonly api: Readonly<Record<string, Answer>>;
  /** Routes in order; default: those of `api`. */
  readonly asks?: readonly string[];
  readonly sends?: Readonly<Record<string, unknown>>;
  readonly shows?: string | RegExp;
  readonly says?: string | RegExp;
  readonly status?: number;
}[] = [
  {
    line: 'apps',
    api: { 'GET /apps': [appOf(), appOf({ name: 'shop', maintenance: true })] },
    shows: '=== Apps\n\nblog\nshop (maintenance)\n',
  },
  { line: 'apps', api: { 'GET /apps': [] }, shows: /no apps yet/ },
  {
    line: 'apps:create blog --no-remote',
    api: { 'POST /apps': appOf() },
    sends: { 'POST /apps': { name: 'blog' } },
    shows: /^http:\/\/blog\.localhost:8001\/ \| http:\/\/127\.0\.0\.1:\d+\/blog\.git\n$/,
    says: 'Creating ⬢ blog... done\n',
  },
  {
    line: 'create -b heroku/nodejs -n',
    api: { 'POST /apps': appOf(), 'PUT /apps/app-id/buildpack-installations': [] },
    sends: {
      'POST /apps': {},
      'PUT /apps/app-id/buildpack-installations': { updates: [{ buildpack: 'heroku/nodejs' }] },
    },
    says: 'Creating app... done, ⬢ blog\nSetting buildpack to heroku/nodejs... done\n',
  },
  {
    line: 'apps:info',
    api: {
      'GET /apps/blog': appOf(),
      'GET /apps/blog/dynos': [dynoOf(), dynoOf({ name: 'web.2' }), dynoOf({ type: 'worker' })],
    },
    shows: /=== blog\n\nCreated: +2026[^]*Dynos: +web: 2, worker: 1\n[^]*Slug Size: +3 MB\n/,
  },
  { line: 'open /about', api: { 'GET /apps/blog': appOf() }, shows: 'http://blog.localhost:8001/about\n' },
  {
    line: 'apps:rename diary',
    api: { 'PATCH /apps/blog': appOf({ name: 'diary', web_url: 'http://diary.localhost:8001/' }) },
    sends: { 'PATCH /apps/blog': { name: 'diary' } },
    shows: /^http:\/\/diary\.localhost:8001\/ \| http:\/\/127\.0\.0\.1:\d+\/diary\.git\n$/,
    says: 'Renaming ⬢ blog to ⬢ diary... done\n',
  },
  {
    line: 'apps:destroy --confirm blog',
    api: { 'GET /apps/blog': appOf(), 'DELETE /apps/blog': appOf() },
    says: 'Destroying ⬢ blog... done\n',
  },
  {
    line: 'apps:destroy',
    api: { 'GET /apps/blog': appOf() },
    status: 2,
    says: /nothing was done\n ›   Add --confirm blog/,
  },
  {
    line: 'apps:destroy --confirm shop',
    api: { 'GET /apps/blog': appOf() },
    status: 2,
    says: /--confirm names "shop", not "blog"/,
  },
  { line: 'maintenance', api: { 'GET /apps/blog': appOf() }, shows: 'off\n' },
  {
    line: 'maintenance:on',
    api: { 'PATCH /apps/blog': appOf({ maintenance: true }) },
    sends: { 'PATCH /apps/blog': { maintenance: true } },
    says: 'Enabling maintenance mode for ⬢ blog... done\n',
  },
  {
    line: 'maintenance:off',
    api: { 'PATCH /apps/blog': appOf() },
    sends: { 'PATCH /apps/blog': { maintenance: false } },
  },
  {
    line: 'config',
    api: { 'GET /apps/blog/config-vars': { A: '1', LONG: 'x y' } },
    shows: '=== blog Config Vars\n\nA:    1\nLONG: x y\n',
  },
  {
    line: 'config --shell',
    api: { 'GET /apps/blog/config-vars': { A: '1', B: "it's" } },
    shows: "A=1\nB='it'\\''s'\n",
  },
  { line: 'config:get A', api: { 'GET /apps/blog/config-vars': { A: '1' } }, shows: '1\n' },
  { line: 'config:get toString', api: { 'GET /apps/blog/config-vars': {} }, shows: '\n' },
  {
    line: 'config:set A=1 B=x=y',
    api: { 'PATCH /apps/blog/config-vars': { A: '1', B: 'x=y', OLD: 'o' }, [newest]: [releaseOf(7)] },
    sends: { 'PATCH /apps/blog/config-vars': { A: '1', B: 'x=y' } },
    shows: 'A: 1\nB: x=y\n',
    says: 'Setting A, B and restarting ⬢ blog... done, v7\n',
  },
  {
    line: 'config:set A',
    api: {},
    status: 2,
    says: / ›   "A" is no KEY=value\n ›   Write it like `kith config:set KEY=value`\n/,
  },
  { line: 'config:set 1A=x', api: {}, status: 2, says: /"1A" is no name of a config var/ },
  {
    line: 'config:unset A B',
    api: { 'PATCH /apps/blog/config-vars': {}, [newest]: [releaseOf(8)] },
    sends: { 'PATCH /apps/blog/config-vars': { A: null, B: null } },
    says: 'Unsetting A, B and restarting ⬢ blog... done, v8\n',
  },
  {
    line: 'ps:scale',
    api: { 'GET /apps/blog/formation': [formationOf(), formationOf({ type: 'worker', quantity: 0 })] },
    shows: 'web=1:Basic worker=0:Basic\n',
  },
  {
    line: 'ps:scale web=3 worker+1 clock-1:Standard-2X',
    api: { 'PATCH /apps/blog/formation': [formationOf({ quantity: 3 })] },
    sends: {
      'PATCH /apps/blog/formation': {
        updates: [
          { type: 'web', quantity: '3' },
          { type: 'worker', quantity: '+1' },
          { type: 'clock', quantity: '-1', size: 'Standard-2X' },
        ],
      },
    },
    says: 'Scaling dynos... done, now running web at 3:Basic\n',
  },
  {
    line: 'ps:type',
    api: {
      'GET /apps/blog/formation': [formationOf({ quantity: 2 })],
      'GET /dyno-sizes': DYNO_SIZES.slice(0, 4).map(dynoSizeResource),
    },
    shows: /Process Types\n\nTYPE +SIZE +QTY\n[^]*\nweb +Basic +2\n[^]*Standard-2X +1 GB\n/,
  },
  {
    line: 'ps:type web=standard-2x',
    api: {
      'GET /apps/blog/formation': [formationOf({ size: 'Standard-2X' })],
      'PATCH /apps/blog/formation': [formationOf({ size: 'Standard-2X' })],
    },
    sends: { 'PATCH /apps/blog/formation': { updates: [{ type: 'web', size: 'standard-2x' }] } },
    asks: ['GET /apps/blog/formation', 'PATCH /apps/blog/formation', 'GET /apps/blog/formation'],
    says: 'Scaling dynos on ⬢ blog... done\n',
  },
  {
    line: 'ps:type basic',
    api: {
      'GET /apps/blog/formation': [formationOf(), formationOf({ type: 'worker' })],
      'PATCH /apps/blog/formation': [],
    },
    sends: {
      'PATCH /apps/blog/formation': {
        updates: [
          { type: 'web', size: 'basic' },
          { type: 'worker', size: 'basic' },
        ],
      },
    },
    asks: ['GET /apps/blog/formation', 'PATCH /apps/blog/formation', 'GET /apps/blog/formation'],
  },
  {
    line: 'ps:type web:basic',
    api: { 'GET /apps/blog/formation': [formationOf()] },
    status: 2,
    says: /"web:basic" is no size of a process type/,
  },
  {
    line: 'features',
    api: {
      'GET /apps/blog/features': [{ name: 'log-runtime-metrics', enabled: true, description: 'Lines' }],
    },
    shows: '=== App Features ⬢ blog\n\n[+] log-runtime-metrics  Lines\n',
  },
  {
    line: 'labs:enable log-runtime-metrics',
    api: { 'PATCH /apps/blog/features/log-runtime-metrics': {} },
    sends: { 'PATCH /apps/blog/features/log-runtime-metrics': { enabled: true } },
    says: 'Enabling log-runtime-metrics for ⬢ blog... done\n',
  },
  { line: 'ps:scale web', api: {}, status: 2, says: /"web" is no change of a process type/ },
  {
    line: 'ps:restart',
    api: { 'DELETE /apps/blog/dynos': {} },
    says: 'Restarting dynos on ⬢ blog... done\n',
  },
  {
    line: 'restart web.1',
    api: { 'DELETE /apps/blog/dynos/web.1': {} },
    says: 'Restarting web.1 dyno on ⬢ blog... done\n',
  },
  {
    line: 'ps:restart web',
    api: { 'DELETE /apps/blog/formations/web': {} },
    says: 'Restarting web dynos on ⬢ blog... done\n',
  },
  {
    line: 'ps:stop run.12',
    api: { 'POST /apps/blog/dynos/run.12/actions/stop': {} },
    says: 'Stopping run.12 on ⬢ blog... done\n',
  },
  { line: 'ps:stop web', api: { 'POST /apps/blog/formations/web/actions/stop': {} } },
  {
    line: 'releases -n 2',
    api: { [newest]: [releaseOf(7, { current: true }), releaseOf(6, { label: 'v6.k3f9' })] },
    shows:
      /^=== blog Releases - Current: v7\n\nV +STATUS +DESCRIPTION +USER +CREATED\n─+[^]*\nv7 +current +Deploy 7 +ada@example\.com +2026[^]*\nv6\.k3f9 +Deploy 6/,
  },
  {
    line: 'releases:info v5',
    api: { 'GET /apps/blog/releases/v5': releaseOf(5), 'GET /apps/blog/releases/r5/config-vars': { A: '1' } },
    shows: /=== Release v5\n\nBy: +ada@example\.com\nChange: +Deploy 5\n[^]*=== v5 Config vars\n\nA: 1\n/,
  },
  {
    line: 'releases:verify',
    api: { 'GET /kith/apps/blog/verify': { checked: 12, problems: [] } },
    shows: /is right/,
    says: /done, 12 checked/,
  },
  {
    line: 'releases:verify',
    api: { 'GET /kith/apps/blog/verify': { checked: 12, problems: ['v3: bad signature'] } },
    shows: '! v3: bad signature\n',
    status: 1,
  },
  {
    line: 'rollback',
    api: {
      [newest]: [releaseOf(7), releaseOf(6, { eligible_for_rollback: false }), releaseOf(5)],
      'POST /apps/blog/releases': releaseOf(8),
    },
    sends: { 'POST /apps/blog/releases': { release: 'r5' } },
    says: /^Rolling back ⬢ blog to v5\.\.\. done, v8\n ›   Warning: Rollback affects code and config vars\.\n ›   Warning: To undo it, run: kith rollback v7\n$/,
  },
  {
    line: 'rollback v5.k3f9',
    api: { 'GET /apps/blog/releases/v5.k3f9': releaseOf(5), 'POST /apps/blog/releases': releaseOf(8) },
    sends: { 'POST /apps/blog/releases': { release: 'r5' } },
  },
  {
    line: 'releases:output v5',
    api: {
      'GET /apps/blog/releases/v5': releaseOf(5, {
        output_stream_url: '/apps/blog/releases/v5/output/secret',
      }),
      'GET /apps/blog/releases/v5/output/secret': 'migrated\n',
    },
    shows: /migrated/,
  },
  {
    line: 'releases:output v5',
    api: { 'GET /apps/blog/releases/v5': releaseOf(5) },
    status: 1,
    says: /v5 of blog has no release command/,
  },
  {
    line: 'releases:retry v5',
    api: { 'GET /apps/blog/releases/v5': releaseOf(5), 'POST /apps/blog/releases': releaseOf(8) },
    says: /^Retrying v5 of ⬢ blog\.\.\. done, v8\n$/,
  },
  {
    line: 'rollback',
    api: { [newest]: [releaseOf(1)] },
    status: 1,
    says: /blog has no release to go back to/,
  },
  {
    line: 'domains',
    api: {
      'GET /apps/blog/domains': [
        domainOf({ kind: 'heroku', hostname: 'blog.localhost', cname: null }),
        domainOf(),
      ],
    },
    shows:
      '=== blog Kith Domain\n\nblog.localhost\n\n=== blog Custom Domains\n\nDOMAIN NAME      DNS TARGET      CERTIFICATE\n───────────────  ──────────────  ───────────\nwww.example.com  blog.localhost\n',
  },
  {
    line: 'domains:add www.example.com',
    api: { 'POST /apps/blog/domains': domainOf() },
    sends: { 'POST /apps/blog/domains': { hostname: 'www.example.com', sni_endpoint: null } },
    says: 'Adding www.example.com to ⬢ blog... done\n',
  },
  { line: 'drains', api: { 'GET /apps/blog/log-drains': [] }, shows: /^No drains on ⬢ blog$/m },
  {
    line: 'drains',
    api: { 'GET /apps/blog/log-drains': [drainOf()] },
    shows: /^URL +TOKEN +ADD-ON *\n.*\nsyslog:\/\/logs\.example\.com +d\.1 *\n$/,
  },
  {
    line: 'drains:add syslog://logs.example.com',
    api: { 'POST /apps/blog/log-drains': drainOf() },
    sends: { 'POST /apps/blog/log-drains': { url: 'syslog://logs.example.com' } },
    shows: 'Successfully added drain syslog://logs.example.com (d.1)\n',
  },
  {
    line: 'drains:remove syslog://logs.example.com',
    api: { 'DELETE /apps/blog/log-drains/syslog%3A%2F%2Flogs.example.com': drainOf() },
    shows: 'Successfully removed drain syslog://logs.example.com\n',
  },
  { line: 'domains:remove *.example.com', api: { 'DELETE /apps/blog/domains/*.example.com': domainOf() } },
  {
    line: 'buildpacks',
    api: { 'GET /apps/blog/buildpack-installations': [buildpack('urn:buildpack:heroku/nodejs')] },
    shows: '=== blog Buildpack\n\nheroku/nodejs\n',
  },
  {
    line: 'buildpacks:set heroku/ruby',
    api: { 'PUT /apps/blog/buildpack-installations': [buildpack('heroku/ruby')] },
    sends: { 'PUT /apps/blog/buildpack-installations': { updates: [{ buildpack: 'heroku/ruby' }] } },
    shows: /^Buildpack set\. Next release on blog will use heroku\/ruby\.\n/,
  },
  {
    line: 'buildpacks:add heroku/ruby --index 1',
    api: {
      'GET /apps/blog/buildpack-installations': [buildpack('heroku/nodejs')],
      'PUT /apps/blog/buildpack-installations': [buildpack('heroku/ruby'), buildpack('heroku/nodejs', 1)],
    },
    sends: {
      'PUT /apps/blog/buildpack-installations': {
        updates: [{ buildpack: 'heroku/ruby' }, { buildpack: 'heroku/nodejs' }],
      },
    },
    shows: /will use:\n {2}1\. heroku\/ruby\n {2}2\. heroku\/nodejs\n/,
  },
  {
    line: 'buildpacks:remove heroku/nodejs',
    api: {
      'GET /apps/blog/buildpack-installations': [
        buildpack('urn:buildpack:heroku/nodejs'),
        buildpack('heroku/ruby', 1),
      ],
      'PUT /apps/blog/buildpack-installations': [buildpack('heroku/ruby')],
    },
    sends: { 'PUT /apps/blog/buildpack-installations': { updates: [{ buildpack: 'heroku/ruby' }] } },
  },
  {
    line: 'buildpacks:remove heroku/go',
    api: { 'GET /apps/blog/buildpack-installations': [] },
    status: 1,
    says: /heroku\/go is no buildpack of blog/,
  },
  {
    line: 'buildpacks:clear',
    api: { 'PUT /apps/blog/buildpack-installations': [] },
    sends: { 'PUT /apps/blog/buildpack-installations': { updates: [] } },
    shows: /cleared/,
  },
  {
    line: 'builds',
    api: { 'GET /apps/blog/builds': [buildOf()] },
    shows: /build-1 +succeeded +0b0e75c1 +ada@example\.com/,
  },
  {
    line: 'run:detached --size Basic -e A=1 rake db:migrate --trace',
    api: { 'POST /apps/blog/dynos': dynoOf({ name: 'run.12', type: 'run' }) },
    sends: {
      'POST /apps/blog/dynos': {
        attach: false,
        command: 'rake db:migrate --trace',
        env: { A: '1' },
        size: 'Basic',
      },
    },
    says: /^Running rake db:migrate --trace on ⬢ blog\.\.\. done, run\.12\nRun `kith logs --app blog --dyno run\.12`/,
  },
  {
    line: 'cluster',
    api: {
      'GET /kith/cluster': {
        id: 'c1',
        name: 'home',
        self: { id: 'a', name: 'pi-1' },
        ca_cert: '',
        members: [{ id: 'a', name: 'pi-1' }],
      },
    },
    shows: /=== home\n\nId: +c1\n/,
  },
  {
    line: 'peers',
    api: {
      'GET /kith/peers': [
        peerOf(),
        peerOf({
          id: 'b',
          name: 'pi-2',
          self: false,
          state: 'down',
          load: null,
          memory_mib: null,
          draining: true,
        }),
      ],
    },
    shows:
      /^PEER +STATE +RUNTIME +DYNOS +LOAD +MEMORY +API +VERSION\n─[^\n]*\npi-1 \* +alive +process +2 +0\.4 +1\.0\/7\.8 GB +127\.0\.0\.1:5001 +0\.1\.0\npi-2 +down, draining/,
  },
  { line: 'peers:info pi-1', api: { 'GET /kith/peers/pi-1': peerOf() }, shows: /Labels: +zone=attic\n/ },
  {
    line: 'peers:remove pi-1 --confirm pi-1',
    api: { 'GET /kith/peers/pi-1': peerOf(), 'DELETE /kith/peers/peer-a': peerOf() },
    says: 'Removing pi-1... done\n',
  },
  {
    line: 'peers:remove pi-1',
    api: { 'GET /kith/peers/pi-1': peerOf() },
    status: 2,
    says: /Add --confirm pi-1/,
  },
  {
    line: 'peers:remove pi-1 --force',
    api: { 'GET /kith/peers/pi-1': peerOf({ volumes: [{ app: 'blog', name: 'data' }] }) },
    status: 2,
    says: /removes the peer pi-1 for ever, and the volumes data of blog with it/,
  },
  {
    line: 'peers:remove pi-1 --force --confirm pi-1',
    api: { 'GET /kith/peers/pi-1': peerOf(), 'DELETE /kith/peers/peer-a': peerOf() },
    sends: { 'DELETE /kith/peers/peer-a': { force: true } },
  },
  {
    line: 'peers:drain',
    api: {
      'PATCH /kith/peers/~': peerOf({
        dynos: 1,
        staying: [{ app: 'blog', dyno: 'web.1', volume: 'data' }],
      }),
    },
    says:
      'Moving all dynos elsewhere... done, pi-1 runs what has its volume there\n' +
      'web.1 of blog stays: its volume data is on pi-1. To move it: kith volumes:move data PEER -a blog\n',
  },
  {
    line: 'peers:drain --off',
    api: { 'PATCH /kith/peers/~': peerOf() },
    sends: { 'PATCH /kith/peers/~': { draining: false } },
    says: 'Ending the drain... done, pi-1 takes dynos again\n',
  },
  {
    line: 'peers:collect',
    api: {
      'POST /kith/collections': {
        removed_blobs: 2,
        removed_bytes: 3_145_728,
        kept_blobs: 5,
        kept_bytes: 1_048_576,
      },
    },
    says: 'Collecting garbage... done, 3.0 MiB freed; 5 blobs of 1.0 MiB are kept\n',
  },
  {
    line: 'invite --ttl 12h',
    api: { 'POST /kith/invites': { token: 'kith-invite', expires_at: '' } },
    sends: { 'POST /kith/invites': { ttl_seconds: 43_200 } },
    shows: 'kith-invite\n',
    says: /Good for one machine within 12h/,
  },
  { line: 'invite --ttl soon', api: {}, status: 2, says: /"soon" is no time/ },
  {
    line: 'join kith-invite',
    api: {
      'POST /kith/join': { id: 'c0', name: 'pi-2', members: [{}] },
      'GET /kith/cluster': {
        id: 'c1',
        name: 'home',
        self: { id: 'b', name: 'pi-2' },
        ca_cert: '',
        members: [{}, {}],
      },
    },
    sends: { 'POST /kith/join': { token: 'kith-invite' } },
    says: 'Joining... done, home has 2 peers\n',
  },
  {
    line: 'doctor',
    api: { 'GET /kith/doctor': { problems: [], quarantined: [], waiting: 0 } },
    shows: 'Nothing is wrong.\n',
  },
  {
    line: 'doctor',
    api: {
      'GET /kith/doctor': {
        problems: [{ id: 'x', severity: 'error', message: 'pi-2 is down', hint: 'Start its agent' }],
        quarantined: [],
        waiting: 0,
      },
    },
    shows: '✘ pi-2 is down\n  Start its agent\n',
    status: 1,
  },
  { line: 'whoami', api: { 'GET /account': { email: 'ada@example.com' } }, shows: 'ada@example.com\n' },
  {
    line: 'tokens',
    api: {
      'GET /kith/tokens': [
        { id: 't1', user: 'ada@example.com', description: 'laptop', created_at: '2026-01-02T11:00:00Z' },
      ],
    },
    shows: /t1 +ada@example\.com +laptop +2026/,
  },
  {
    line: 'tokens:create bob@example.com -d phone',
    api: { 'POST /kith/tokens': { id: 't2', user: 'bob@example.com', token: 'kith-tok' } },
    sends: { 'POST /kith/tokens': { user: 'bob@example.com', description: 'phone' } },
    shows: 'kith-tok\n',
  },
  {
    line: 'tokens:revoke t2',
    api: { 'DELETE /kith/tokens/t2': { id: 't2' } },
    says: 'Revoking t2... done\n',
  },
];

test.each(CASES)('kith $line', async ({ line, api, asks, sends = {}, shows, says, status = 0 }) => {
  await using stub = await StubApi.start();
  for (const [route, answer] of Object.entries(api)) stub.on(route, answer);
  const ran = await kith(stub, line);
  expect({ status: ran.status, stderr: ran.stderr }).toMatchObject({ status });
  expect(stub.asked).toEqual(asks ?? Object.keys(api));
  for (const [route, body] of Object.entries(sends)) expect(stub.sent(route).body).toEqual(body);
  if (typeof shows === 'string') expect(ran.stdout).toBe(shows);
  if (shows instanceof RegExp) expect(ran.stdout).toMatch(shows);
  if (typeof says === 'string') expect(ran.stderr).toBe(says);
  if (says instanceof RegExp) expect(ran.stderr).toMatch(says);
  for (const { headers } of stub.requests) expect(headers['authorization']).toBe('Bearer secret');
});

test.each(CASES.filter(({ status }) => status === undefined))(
  'kith $line --json prints JSON and nothing else',
  async ({ line, api }) => {
    await using stub = await StubApi.start();
    for (const [route, answer] of Object.entries(api)) stub.on(route, answer);
    const [name = '', ...rest] = line.split(' ');
    const ran = await kith(stub, [name, '--json', ...rest].join(' '));
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(() => JSON.parse(ran.stdout)).not.toThrow();
  },
);

test('dynos are grouped by type, with the peer that runs each and what no peer can run', async () => {
  await using stub = await StubApi.start();
  stub
    .on('GET /apps/blog/dynos', [
      dynoOf(),
      // Its successor: the two fill one place.
      dynoOf({ id: 'next', state: 'starting' }),
      dynoOf({ id: 'two', name: 'web.2', state: 'starting', peer: { id: 'b', name: 'pi-2' } }),
      dynoOf({ id: 'run', name: 'run.77', type: 'run', command: 'bash' }),
    ])
    .on('GET /apps/blog/formation', [
      formationOf({ quantity: 3 }),
      formationOf({ type: 'worker', quantity: 1, command: 'rake' }),
    ])
    .on('GET /kith/apps/blog/unplaced', [{ dyno: 'worker.1', reason: 'no peer has 512 MB free' }])
    .on('GET /kith/apps/blog/usage', [
      { dyno: 'dyno-id', memory_mib: 45.4, memory_quota_mib: 512, load_avg_1m: 0.021 },
    ]);
  const { stdout } = await kith(stub, 'ps');
  expect(stdout.replace(/\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d [+-]\d{4}/g, 'WHEN')).toBe(
    `=== web (Basic): node server.js (2)

web.1: up WHEN (~ 3m ago)         45/512 MB, load 0.02  pi-1
web.1: starting WHEN (~ 3m ago)                         pi-1
web.2: starting WHEN (~ 3m ago)                         pi-2

=== run: one-off processes (1)

run.77: up WHEN (~ 3m ago): bash                        pi-1

=== worker (Basic): rake (1)

worker.1: unplaced - no peer has 512 MB free

`,
  );
  expect((await kith(stub, 'ps worker')).stdout).not.toContain('web.1');
});

test('a drain waits until nothing runs on the peer', async () => {
  await using stub = await StubApi.start();
  let left = 3;
  stub.on('PATCH /kith/peers/~', peerOf({ dynos: 3 }));
  stub.on('GET /kith/peers/~', (_request: unknown, response: { end: (text: string) => void }) => {
    left -= 1;
    response.end(JSON.stringify(peerOf({ dynos: left })));
  });
  const ran = await kith(stub, 'peers:drain');
  expect(ran.stderr).toBe('Moving all dynos elsewhere... done, pi-1 runs nothing\n');
  expect(stub.asked).toHaveLength(4);
  left = 1_000;
  const late = await kith(stub, 'peers:drain --timeout 0');
  expect(late).toMatchObject({ status: 1 });
  expect(late.stderr).toContain('pi-1 still runs dynos after 0; it goes on draining');
});

test('waiting for dynos ends when all run the newest release', async () => {
  await using stub = await StubApi.start();
  let looks = 0;
  stub
    .on(newest, [releaseOf(7)])
    .on('GET /apps/blog/formation', [formationOf({ quantity: 2 })])
    .on('GET /apps/blog/dynos', (_request: unknown, response: { end: (text: string) => void }) => {
      looks += 1;
      const old = dynoOf({ name: 'web.2', release: { id: 'r6', version: 6 } });
      response.end(JSON.stringify([dynoOf(), looks < 3 ? old : dynoOf({ name: 'web.2' })]));
    });
  const ran = await kith(stub, 'ps:wait');
  expect(ran).toMatchObject({ status: 0, stderr: expect.stringMatching(/v7\.\.\. done\n$/) });
  expect(looks).toBe(3);
});

test('the release list asks for the newest first, as many as wanted', async () => {
  await using stub = await StubApi.start();
  stub.on(newest, []);
  await kith(stub, 'releases -n 3');
  expect(stub.sent(newest).headers['range']).toBe('version ..; order=desc,max=3');
});

test('join reads a token from stdin', async () => {
  await using stub = await StubApi.start();
  stub.on('POST /kith/join', { id: 'c0', name: 'pi-2', members: [] });
  stub.on('GET /kith/cluster', { id: 'c1', name: 'home', members: [] });
  await runKith(['join', '-'], { env: { KITH_HOST: stub.host }, stdin: 'kith-invite\n' });
  expect(stub.sent('POST /kith/join').body).toEqual({ token: 'kith-invite' });
});

test('every file of a command is listed as that command, once', () => {
  const files = readdirSync(join(import.meta.dirname, '..', '..', 'cli', 'commands'));
  const listed = commandNames().map((name) => `${name.replaceAll(':', '-')}.ts`);
  expect(listed.toSorted()).toEqual(files.toSorted());
});

test('every command can be loaded and explains itself within 80 columns', async () => {
  for (const name of commandNames()) {
    const { status, stdout } = await runKith(['help', name]);
    expect({ name, status }).toEqual({ name, status: 0 });
    expect(stdout).toContain(`$ kith ${name}`);
    const tooWide = stdout.split('\n').filter((line) => line.length > 80);
    expect({ name, tooWide }).toEqual({ name, tooWide: [] });
    expect((await findCommand(name)?.load())?.run ?? (await findCommand(name)?.load())?.runRaw).toBeTypeOf(
      'function',
    );
  }
});

test('help lists all commands, and --help one', async () => {
  const { stdout } = await runKith([]);
  for (const name of commandNames()) expect(stdout).toContain(`  ${name} `);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect((await runKith(['ps:scale', '--help'])).stdout).toContain('-a, --app APP');
});

test('an unknown command ends with status 127 and a suggestion', async () => {
  expect(await runKith(['ps:sclae'])).toEqual({
    status: 127,
    stdout: '',
    stderr: ' ›   ps:sclae is not a kith command\n ›   Did you mean `kith ps:scale`?\n',
  });
});

test.each(['bash', 'zsh', 'fish'])('completion for %s names the commands', async (shell) => {
  const { status, stdout } = await runKith(['completion', shell]);
  expect(status).toBe(0);
  expect(stdout).toContain(shell === 'zsh' ? String.raw`ps\:scale` : 'ps:scale');
});
