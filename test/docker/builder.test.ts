import { beforeAll, expect, test } from 'vitest';
import { findEngine } from '../../agent/lib/engine.ts';
import { BUILD_LABEL } from '../../agent/builds/build-engine.ts';
import { ensureNetwork } from '../../agent/runtimes/docker/network.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { openBuildPeer, writeFiles } from '../builds/build-peer.ts';

const IN_CONTAINERS = { containerImage: STACK_IMAGE };

beforeAll(async () => {
  const docker = await findEngine();
  if (docker === null) throw new Error('No Docker Engine answers');
  // The runtime makes it before there are builds.
  await ensureNetwork(docker, 'kith');
});

/** A buildpack of one script, in a folder that the sandbox does not show by itself. */
async function buildpack(dir: string, compile: string): Promise<string> {
  await writeFiles(dir, {
    'bin/detect': '#!/bin/sh\necho Odd',
    'bin/compile': `#!/usr/bin/env bash\nset -eu\nbuild=$1 cache=$2 env=$3\n${compile}`,
    'bin/release': '#!/bin/sh\nprintf "default_process_types:\\n  web: ./run\\n"',
  });
  return dir;
}

test('buildpacks run in containers: with the app, its cache and its config, without the host or any rights', async () => {
  await using dir = await tempDir('kith-pack-');
  await using peer = await openBuildPeer(IN_CONTAINERS);
  const pack = await buildpack(
    dir.path,
    `echo "user $(id -u), $(grep CapEff /proc/self/status | tr -d '\\t')"
     echo "peer's files: $(ls '${peer.dir}/blobs' 2>/dev/null | wc -l), config $(cat "$env/COLOUR")"
     echo "builds so far: $(cat "$cache/count" 2>/dev/null || echo none)"
     echo one >>"$cache/count"
     echo made >"$build/made"`,
  );
  const app = peer.host.createApp('odd', { buildpacks: [pack] });
  peer.host.setConfig(app.id, { COLOUR: 'red' });
  const first = await peer.build(app, { run: '#!/bin/sh' });
  expect(first.outcome.status, first.output).toBe('succeeded');
  expect(first.output).toContain('user 65534, CapEff:0000000000000000');
  expect(first.output).toContain("peer's files: 0, config red");
  expect(first.output).toContain('builds so far: none');
  const second = await peer.build(app, { run: '#!/bin/sh' });
  expect(second.output).toContain('builds so far: one');
  expect(peer.host.current(app.id).slug?.processTypes).toEqual({ web: './run' });
});

test('a build that takes too long is ended with its container, and nothing is released', async () => {
  await using dir = await tempDir('kith-pack-');
  await using peer = await openBuildPeer({ ...IN_CONTAINERS, deadlineMs: 6_000 });
  const pack = await buildpack(dir.path, 'trap "" TERM; sleep 1000 & sleep 1000');
  const app = peer.host.createApp('slow', { buildpacks: [pack] });
  const { outcome } = await peer.build(app, { run: '#!/bin/sh' });
  expect(outcome).toMatchObject({ status: 'failed', reason: 'the build took longer than 0.1 minutes' });
  expect(peer.host.current(app.id).slug).toBeNull();
  const docker = await findEngine();
  const left = (await docker?.listContainers({ all: true, filters: { label: [BUILD_LABEL] } })) ?? [];
  expect(left.filter(({ Command }) => Command.includes(peer.dir))).toEqual([]);
});

test('an app with a Dockerfile and no buildpack set becomes an image; a buildpack that is set wins', async () => {
  await using dir = await tempDir('kith-pack-');
  await using peer = await openBuildPeer(IN_CONTAINERS);
  const app = peer.host.createApp('boxed');
  const files = {
    Dockerfile: 'FROM scratch\nCOPY run /run\nCMD ["/run"]\n',
    run: '#!/bin/sh',
    Procfile: 'web: /run',
  };
  const { outcome, output } = await peer.build(app, files);
  expect(outcome.status, output).toBe('succeeded');
  expect(peer.host.current(app.id).slug).toMatchObject({
    format: 'image',
    buildpack: 'Dockerfile',
    processTypes: { web: '/run' },
  });
  // What the Engine keeps for the app's next build goes with its cache.
  await peer.builds.purgeCache(app.id);
  const docker = await findEngine();
  expect(await docker?.listImages({ filters: { reference: [`kith/build:*${app.id}`] } })).toEqual([]);
  const other = peer.host.createApp('packed', { buildpacks: [await buildpack(dir.path, 'true')] });
  await peer.build(other, files);
  expect(peer.host.current(other.id).slug?.format).toBeUndefined();
});

test('where no Engine is, a heroku.yml is refused, and a mere Dockerfile gives way to a buildpack with a word', async () => {
  await using peer = await openBuildPeer();
  const app = peer.host.createApp('boxed');
  const files = { Dockerfile: 'FROM scratch\n', Procfile: 'web: ./run', run: '#!/bin/sh' };
  const refused = await peer.build(app, {
    ...files,
    'heroku.yml': 'build:\n  docker:\n    web: Dockerfile\n',
  });
  expect(refused.outcome).toMatchObject({
    status: 'failed',
    reason: 'this app is built by a Dockerfile, and this peer has no Docker Engine',
  });
  expect(refused.output).toContain('Push to a peer whose runtime is docker');
  const built = await peer.build(app, files);
  expect(built.outcome.status).toBe('succeeded');
  expect(built.output).toContain('This app has a Dockerfile, but this peer has no Docker Engine');
});
