import { join } from 'node:path';
import { expect, test } from 'vitest';
import { must } from '../../scripts/lib/kith.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import { useCluster } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const DEPLOY_MS = 240_000;
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
    expect(await birch.kith(['releases:output', 'v5', '-a', 'shop'])).toContain('migrating as v5');
    await repo.commit({ 'more.txt': 'more' });
    const failed = must(await repo.push(birch, 'shop'));
    expect(failed.stderr).toContain('Release command failed, this version of the app has not been deployed');
    expect(failed.stderr).toContain('It exited with status 3');
    expect(await newest(ash, 'shop')).toMatchObject({ version: 6, status: 'failed', current: false });
    const back = await ash.tryKith(['rollback', 'v6', '-a', 'shop']);
    expect(back.stderr).toContain('its release command failed');
  },
);
