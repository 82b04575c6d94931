import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppId } from '../../src/ids.ts';
import { as, everybody } from './callers.ts';
import { startApi } from './harness.ts';
import type { Harness } from './harness.ts';

const OF_THE_HOST = [
  '/opt/packs/mine',
  'file:///opt/packs/mine',
  'ssh://git@example.com/x',
  'git@example.com:x',
];
const updates = (...names: string[]) => ({ updates: names.map((buildpack) => ({ buildpack })) });
let api: Harness;
let app: AppId;
let tokens: ReadonlyMap<string, string>;

beforeAll(async () => {
  api = await startApi();
  app = await api.deployedApp('blog');
  tokens = await everybody(api, app);
});
afterAll(() => api[Symbol.asyncDispose]());

test('buildpacks that are read with the rights of the building machine are for admins to name', async () => {
  const path = '/apps/blog/buildpack-installations';
  for (const who of ['owner', 'deploy']) {
    for (const name of OF_THE_HOST) {
      const answer = await as(api, tokens.get(who) ?? '')('PUT', path, updates(name));
      expect([who, name, answer.status]).toEqual([who, name, 403]);
      expect(answer.body).toMatchObject({
        id: 'forbidden',
        message: expect.stringContaining(name) as string,
      });
    }
    const web = updates('https://example.com/x.git#v2', 'nodejs');
    expect((await as(api, tokens.get(who) ?? '')('PUT', path, web)).status).toBe(200);
  }
  const [mine = ''] = OF_THE_HOST;
  expect((await api.call('PUT', path, updates(mine))).status).toBe(200);
  // What an admin has named stays, whoever adds another.
  const added = await as(api, tokens.get('deploy') ?? '')('PUT', path, updates('nodejs', mine));
  expect(added.status).toBe(200);
});

test('a build and an app setup by others than admins name no such buildpacks either', async () => {
  const build = {
    source_blob: { url: 'http://127.0.0.1:1/x.tgz' },
    buildpacks: [{ url: 'file:///etc' }],
  };
  const deployer = as(api, tokens.get('deploy') ?? '');
  expect((await deployer('POST', '/apps/blog/builds', build)).status).toBe(403);
  const setup = { source_blob: { url: 'http://127.0.0.1:1/x.tgz' }, overrides: { buildpacks: ['/etc'] } };
  expect((await as(api, tokens.get('member') ?? '')('POST', '/app-setups', setup)).status).toBe(403);
});
