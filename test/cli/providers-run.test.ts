import { expect, onTestFinished, test } from 'vitest';
import { mustServer, versionOf } from '../../cli/lib/databases/managed-servers.ts';
import { appOf, buildOf, dynoOf, formationOf, releaseOf } from './resources.ts';
import { runKith, type Ran } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const NAME = 'kith-redis';
const BUILDS = `/apps/${NAME}/builds`;
const MOUNT = { type: 'server', path: '/app/data' };

/** A cluster where Kith's Redis runs, built from this version of it. */
async function running(version: string): Promise<StubApi> {
  const api = await StubApi.start();
  onTestFinished(() => api[Symbol.asyncDispose]());
  return api
    .on('GET /kith/providers', [{ id: NAME, app: null, settings: [] }])
    .on(`GET /apps/${NAME}`, appOf({ name: NAME }))
    .on('GET /teams', [{ id: 'team-id', name: 'home' }])
    .on('GET /teams/home/members', [{ email: 'ada@example.com', role: 'admin' }])
    .on(`GET /apps/${NAME}/config-vars`, { KITH_PROVIDER: NAME, ADMIN_PASSWORD: 'pw' })
    .on(`GET /kith/apps/${NAME}/volumes`, [{ name: 'data', peer: { id: 'a', name: 'pi-1' }, mount: MOUNT }])
    .on(`GET ${BUILDS}`, [buildOf({ source_blob: { url: null, version, checksum: null } })])
    .on(`GET /kith/apps/${NAME}/ports`, [{ type: 'server', number: 61_001, address: 'kith.internal:61001' }])
    .on(`GET /apps/${NAME}/formation`, [formationOf({ type: 'server' })])
    .on(`GET /apps/${NAME}/releases`, [releaseOf(7)])
    .on(`GET /apps/${NAME}/dynos`, [dynoOf({ name: 'server.1', type: 'server' })])
    .on(`PATCH /kith/providers/${NAME}`, { id: NAME });
}

function run(api: StubApi): Promise<Ran> {
  return runKith(['providers:run', NAME], { env: { KITH_HOST: api.host, KITH_TOKEN: 'secret' } });
}

const asked = (api: StubApi, route: string): number => api.asked.filter((each) => each === route).length;

test('a server that runs the newest version is left as it is', async () => {
  const api = await running(await versionOf(mustServer(NAME)));
  const ran = await run(api);
  expect(ran).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('Deploying ⬢ kith-redis... already\n'),
  });
  expect(asked(api, `GET ${BUILDS}`)).toBe(1);
  expect(api.asked.filter((route) => route.startsWith('POST'))).toEqual([]);
  const address = 'redis://kith:pw@kith.internal:61001';
  expect(api.sent(`PATCH /kith/providers/${NAME}`).body).toEqual({ settings: { server: address } });
});

test('a server of another version is deployed anew, once, whatever else is built at that time', async () => {
  const api = await running('of-before');
  const url = `http://${api.host}/sources/s1`;
  api
    .on('POST /sources', { source_blob: { get_url: url, put_url: url } })
    .on('PUT /sources/s1', {})
    .on(`GET /apps/${NAME}/buildpack-installations`, [{ buildpack: { name: 'procfile' } }])
    .on(`POST ${BUILDS}`, buildOf({ status: 'pending' }))
    .on(`GET ${BUILDS}/build-1`, buildOf());
  const ran = await run(api);
  expect(ran).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('Deploying ⬢ kith-redis... done\n'),
  });
  expect(asked(api, `GET ${BUILDS}`)).toBe(1);
  const version = await versionOf(mustServer(NAME));
  expect(api.sent(`POST ${BUILDS}`).body).toEqual({ source_blob: { url, version } });
});
