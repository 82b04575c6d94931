import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must } from '../../scripts/lib/kith.ts';
import type { AddonResource } from '../../src/platform/addon.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { Acme, urlOf } from '../addons/acme.ts';
import { eventually } from '../helpers/eventually.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const DEPLOY_MS = 480_000;
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');

const newest = async (peer: Peer, app: string): Promise<ReleaseResource | undefined> => {
  const releases = await peer.json<readonly ReleaseResource[]>(['releases', '-a', app]);
  return releases[0];
};

const FILES = {
  'package.json': '{"name":"shop","version":"1.0.0"}',
  'server.js': "require('http').createServer((_, r) => r.end('up')).listen(process.env.PORT)",
  Procfile:
    'web: node server.js\nrelease: echo "migrating as $HEROKU_RELEASE_VERSION with $MODE"; exit ${BREAK:-0}\n',
  'app.json': '{"env":{"MODE":"prod"},"scripts":{"postdeploy":"echo seeded"}}',
};

test(
  'a release command runs before the release does, its output is in the push, and a failed one leaves what runs alone',
  { timeout: DEPLOY_MS },
  async () => {
    await ash.kith(['apps:create', 'shop', '--no-remote']);
    const repo = await Repo.create(join(cluster.dir, 'source', 'shop'), FILES);
    const { stderr } = must(await repo.push(ash, 'shop'));
    for (const line of [
      'Setting config vars of app.json: MODE',
      'Release command declared: this new release will not be available until the command succeeds.',
      'Running release command...',
      'migrating as v4 with prod',
      'Waiting for release.... done.',
      'seeded',
    ])
      expect(stderr).toContain(line);
    expect(await newest(birch, 'shop')).toMatchObject({ version: 4, status: 'succeeded', current: true });

    await birch.kith(['config:set', 'BREAK=3', '-a', 'shop']);
    // It starts a moment after the release was made.
    await eventually(
      async () => (await birch.kith(['releases:output', 'v5', '-a', 'shop'])).includes('migrating as v5'),
      { withinMs: WAIT_MS },
    );
    await repo.commit({ 'more.txt': 'more' });
    const failed = must(await repo.push(birch, 'shop'));
    expect(failed.stderr).toContain('Release command failed, this version of the app has not been deployed');
    expect(failed.stderr).toContain('It exited with status 3');
    expect(await newest(ash, 'shop')).toMatchObject({ version: 6, status: 'failed', current: false });
    const back = await ash.tryKith(['rollback', 'v6', '-a', 'shop']);
    expect(back.stderr).toContain('its release command failed');
  },
);

test(
  'the release command runs once for a new add-on, with its config vars, and not for other values of it',
  { timeout: DEPLOY_MS },
  async () => {
    await using acme = await new Acme().start();
    await ash.call('/kith/providers', { method: 'POST', body: JSON.stringify(acme.manifest) });
    await ash.kith(['apps:create', 'adds', '--no-remote']);
    const Procfile = 'worker: sleep 1000\nrelease: echo "migrating $REDIS_URL"\n';
    must(await (await Repo.create(join(cluster.dir, 'source', 'adds'), { Procfile })).push(ash, 'adds'));
    const { id } = await birch.json<AddonResource>(['addons:create', 'acme-redis', '-a', 'adds']);
    const after = (description: RegExp) =>
      eventually(
        async () => {
          const release = await newest(ash, 'adds');
          return release?.status === 'succeeded' && description.test(release.description) ? release : null;
        },
        { withinMs: WAIT_MS },
      );
    const added = await after(/completed provisioning/);
    expect(await ash.kith(['releases:output', `v${added.version}`, '-a', 'adds'])).toContain(
      `migrating ${urlOf(id)}`,
    );
    expect(await birch.json(['releases', '-a', 'adds'])).toMatchObject([
      { output_stream_url: expect.any(String) as string },
      { description: expect.stringMatching(/^Attach REDIS/) as string, output_stream_url: null },
      { description: expect.stringMatching(/^Deploy/) as string },
      {},
      {},
    ]);
    const rotated = await birch.inStep(async () => {
      const { access_token: token } = await acme.tokensOf(id, birch.api);
      return fetch(`${birch.api}/addons/${id}/config`, {
        method: 'PATCH',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ config: [{ name: 'REDIS_URL', value: 'redis://rotated' }] }),
      });
    });
    expect(rotated.status).toBe(200);
    expect(await after(/^Update REDIS/)).toMatchObject({ output_stream_url: null, current: true });
  },
);
