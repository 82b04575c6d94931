import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packFolder } from '../../cli/lib/deploy/archive.ts';
import { rendezvousOrder } from '../../src/ledger/home.ts';
import type { AppSetupResource, ReviewAppResource } from '../../src/platform/app-setup.ts';
import type { BuildResource } from '../../src/platform/build.ts';
import type { PipelineResource } from '../../src/platform/pipeline.ts';
import type { PromotionResource, PromotionTargetResource } from '../../src/platform/promotion.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';
import type { SlugResource } from '../../src/platform/slug.ts';
import type { PeerId } from '../../src/ids.ts';
import { eventually } from '../helpers/eventually.ts';
import { answers, deploy, formationMet, writeApp } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';

const LONG_MS = 480_000;
const cluster = useCluster(3);
const [ash, birch, cedar] = cluster.peers as [Peer, Peer, Peer];
const json = (body: unknown): string => JSON.stringify(body);

async function idOf(peer: Peer, app: string): Promise<string> {
  return (await peer.call<{ id: string }>(`/apps/${app}`)).id;
}

/** A pipeline with a staging app and production apps. */
async function pipelineOf(name: string, staging: string, ...production: readonly string[]): Promise<string> {
  const { id } = await birch.call<PipelineResource>('/pipelines', { method: 'POST', body: json({ name }) });
  const add = (app: string, stage: string): Promise<unknown> =>
    cedar.call('/pipeline-couplings', { method: 'POST', body: json({ app, pipeline: id, stage }) });
  await add(staging, 'staging');
  for (const app of production) await add(app, 'production');
  return id;
}

async function promote(peer: Peer, pipeline: string, source: string, targets: readonly string[]) {
  const ids = await Promise.all(targets.map((app) => idOf(peer, app)));
  const body = {
    pipeline: { id: pipeline },
    source: { app: { id: await idOf(peer, source) } },
    targets: ids.map((id) => ({ app: { id } })),
  };
  return peer.call<PromotionResource>('/pipeline-promotions', { method: 'POST', body: json(body) });
}

function settled(peer: Peer, promotion: string): Promise<readonly PromotionTargetResource[]> {
  return eventually(
    async () => {
      const targets = await peer.call<PromotionTargetResource[]>(
        `/pipeline-promotions/${promotion}/promotion-targets`,
      );
      if (targets.every(({ status }) => status !== 'pending')) return targets;
      throw new Error('The promotion is still under way');
    },
    { withinMs: WAIT_MS, everyMs: 100 },
  );
}

/** Uploads a folder at this peer. @returns the URL that a build or a setup takes it from */
async function upload(peer: Peer, folder: string): Promise<string> {
  const archive = `${folder}.tar.gz`;
  await packFolder({ cwd: '/', env: process.env } as never, folder, archive);
  const { source_blob } = await peer.call<{ source_blob: { get_url: string; put_url: string } }>('/sources', {
    method: 'POST',
  });
  const sent = await fetch(source_blob.put_url, { method: 'PUT', body: readFileSync(archive) });
  expect(sent.status).toBe(200);
  return source_blob.get_url;
}

/** An app of one Procfile, with an app.json. */
function writeManifest(name: string, appJson: unknown): string {
  const dir = writeApp(join(cluster.dir, 'source', name), name);
  writeFileSync(join(dir, 'app.json'), json(appJson));
  return dir;
}

function setupEnded(peer: Peer, id: string): Promise<AppSetupResource> {
  return eventually(
    async () => {
      const setup = await peer.call<AppSetupResource>(`/app-setups/${id}`);
      if (setup.status !== 'pending') return setup;
      throw new Error('The setup is still under way');
    },
    { withinMs: 2 * WAIT_MS, everyMs: 200 },
  );
}

test(
  'what one peer deployed is promoted through another, with the config of each target',
  { timeout: LONG_MS },
  async () => {
    await deploy(ash, 'shop-staging', writeApp(join(cluster.dir, 'source', 'shop'), 'first'));
    await ash.kith(['config:set', 'GREETING=staging', '-a', 'shop-staging']);
    for (const app of ['shop', 'till']) {
      await ash.kith(['apps:create', app, '--no-remote']);
      await ash.kith(['config:set', `GREETING=${app}`, '-a', app]);
    }
    const pipeline = await pipelineOf('shop', 'shop-staging', 'shop', 'till');
    const { id } = await promote(birch, pipeline, 'shop-staging', ['shop', 'till']);
    const targets = await settled(cedar, id);
    expect(targets.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    for (const app of ['shop', 'till']) {
      await formationMet(cedar, app, 1);
      await answers(cedar, app, new RegExp(`^first web\\.1 ${app}$`));
      const [newest] = await cedar.json<readonly ReleaseResource[]>(['releases', '-a', app]);
      expect(newest?.description).toMatch(/^Promote shop-staging v\d+ [0-9a-f]{8}$/);
    }
  },
);

test(
  'a promotion is finished though the peer that took it, and whose duty it is, dies at once',
  { timeout: LONG_MS },
  async () => {
    await deploy(ash, 'shop-staging', writeApp(join(cluster.dir, 'source', 'shop'), 'second'));
    const { id: pipeline } = (await ash.call<PipelineResource[]>('/pipelines?eq[name]=shop'))[0] ?? {
      id: '',
    };
    const { id } = await promote(birch, pipeline, 'shop-staging', ['shop', 'till']);
    const ids = cluster.peers.map((peer) => peer.id as PeerId);
    const [home] = rendezvousOrder(`promotion/${id}`, ids);
    // What nobody else has heard of waits for the return of whoever took it.
    await ash.inStep(async () => {});
    birch.kill();
    const dutiful = cluster.peers.find((peer) => peer.id === home);
    if (dutiful !== undefined && dutiful !== birch && dutiful !== ash) dutiful.kill();
    const targets = await settled(ash, id);
    expect(targets.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    for (const app of ['shop', 'till']) {
      const releases = await ash.json<readonly ReleaseResource[]>(['releases', '-a', app]);
      expect(releases.filter(({ description }) => description.startsWith('Promote'))).toHaveLength(2);
      await answers(ash, app, /^second/);
    }
    for (const peer of cluster.peers) if (!(await isUp(peer))) await peer.start();
    await cluster.allAlive();
  },
);

async function isUp(peer: Peer): Promise<boolean> {
  try {
    await peer.peers();
    return true;
  } catch {
    return false;
  }
}

test(
  'an app is set up from an archive and its app.json, and one that lacks something leaves no app',
  { timeout: LONG_MS },
  async () => {
    const appJson = {
      name: 'Guestbook',
      env: { SECRET: { generator: 'secret' }, GREETING: 'hello', TOKEN: { required: true } },
      buildpacks: [{ url: 'procfile' }],
      formation: { web: { quantity: 1 } },
      scripts: { postdeploy: 'echo seeded $GREETING' },
    };
    const url = await upload(birch, writeManifest('guestbook', appJson));
    const refused = await birch.call<AppSetupResource>('/app-setups', {
      method: 'POST',
      body: json({ source_blob: { url }, app: { name: 'guestbook' } }),
    });
    const failed = await setupEnded(cedar, refused.id);
    expect(failed).toMatchObject({ status: 'failed', manifest_errors: ['"env.TOKEN": a value is required'] });
    await eventually(
      async () => {
        await expect(cedar.call('/apps/guestbook')).rejects.toThrow('404');
        return true;
      },
      { withinMs: WAIT_MS },
    );

    const made = await birch.call<AppSetupResource>('/app-setups', {
      method: 'POST',
      body: json({
        source_blob: { url },
        app: { name: 'guestbook' },
        overrides: { env: { TOKEN: 't', GREETING: 'hi' } },
      }),
    });
    expect(made).toMatchObject({ status: 'pending', app: { name: 'guestbook' } });
    const done = await setupEnded(cedar, made.id);
    expect(done).toMatchObject({ status: 'succeeded', failure_message: null, postdeploy: { exit_code: 0 } });
    expect(done.postdeploy?.output).toContain('seeded hi');
    const config = await ash.call<Record<string, string>>('/apps/guestbook/config-vars');
    expect(config).toMatchObject({
      TOKEN: 't',
      GREETING: 'hi',
      SECRET: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await formationMet(ash, 'guestbook', 1);
  },
);

test('a setup goes on at another peer when the one that does it dies', { timeout: LONG_MS }, async () => {
  const appJson = { env: { SECRET: { generator: 'secret' } }, buildpacks: [{ url: 'procfile' }] };
  const url = await upload(ash, writeManifest('phoenix', appJson));
  const made = await ash.call<AppSetupResource>('/app-setups', {
    method: 'POST',
    body: json({ source_blob: { url }, app: { name: 'phoenix' } }),
  });
  const ids = cluster.peers.map((peer) => peer.id as PeerId);
  const [home] = rendezvousOrder(`setup/${made.app.id}`, ids);
  const dutiful = cluster.peers.find((peer) => peer.id === home);
  const witness = cluster.peers.find((peer) => peer !== dutiful);
  if (dutiful === undefined || witness === undefined) throw new Error('No such peers');
  await witness.inStep(async () => {});
  dutiful.kill();
  expect(await setupEnded(witness, made.id)).toMatchObject({ status: 'succeeded' });
  await formationMet(witness, 'phoenix', 1);
  await dutiful.start();
  await cluster.allAlive();
});

test(
  'a review app has the review part of app.json and the config of its stage, and goes when it is told to',
  { timeout: LONG_MS },
  async () => {
    const { id: pipeline } = (await ash.call<PipelineResource[]>('/pipelines?eq[name]=shop'))[0] ?? {
      id: '',
    };
    await ash.call(`/pipelines/${pipeline}/review-app-config`, {
      method: 'POST',
      body: json({ destroy_stale_apps: true, stale_days: 3 }),
    });
    await birch.call(`/pipelines/${pipeline}/stage/review/config-vars`, {
      method: 'PATCH',
      body: json({ API: 'sandbox' }),
    });
    const appJson = {
      env: { GREETING: 'all', TOKEN: {} },
      buildpacks: [{ url: 'procfile' }],
      environments: { review: { env: { GREETING: 'review', TOKEN: 'none' } } },
    };
    const url = await upload(cedar, writeManifest('shop-red', appJson));
    const made = await cedar.call<ReviewAppResource>('/review-apps', {
      method: 'POST',
      body: json({ branch: 'red', pipeline, source_blob: { url, version: 'abc' }, pr_number: 12 }),
    });
    const done = await eventually(
      async () => {
        const review = await ash.call<ReviewAppResource>(`/review-apps/${made.id}`);
        if (review.status === 'created') return review;
        throw new Error(`It is ${review.status}: ${review.message}`);
      },
      { withinMs: 2 * WAIT_MS, everyMs: 200 },
    );
    expect(done.app?.name).toBe('shop-pr-12');
    expect(await ash.call('/apps/shop-pr-12/config-vars')).toMatchObject({
      API: 'sandbox',
      GREETING: 'review',
      TOKEN: 'none',
    });
    expect(await ash.call('/apps/shop-pr-12/pipeline-couplings')).toMatchObject({ stage: 'review' });
    await birch.call(`/review-apps/${made.id}`, { method: 'DELETE' });
    expect(await birch.call(`/review-apps/${made.id}`)).toMatchObject({ status: 'deleted', app: null });
  },
);

test(
  'a slug that a client sends to one peer is released at another and runs',
  { timeout: LONG_MS },
  async () => {
    await ash.kith(['apps:create', 'carried', '--no-remote']);
    const announced = await birch.call<SlugResource>('/apps/carried/slugs', {
      method: 'POST',
      body: json({ process_types: { web: 'python3 server.py' }, commit: '0b0e75c1aa' }),
    });
    const dir = join(cluster.dir, 'slug');
    mkdirSync(dir);
    writeApp(join(dir, 'app'), 'carried');
    await packFolder({ cwd: '/', env: process.env } as never, dir, `${dir}.tar.gz`);
    const sent = await fetch(announced.blob.url, { method: 'PUT', body: readFileSync(`${dir}.tar.gz`) });
    expect(sent.status).toBe(200);
    const slug = await cedar.call<SlugResource>(`/apps/carried/slugs/${announced.id}`);
    expect(slug).toMatchObject({
      id: announced.id,
      commit: '0b0e75c1aa',
      checksum: expect.stringContaining('SHA256:'),
    });
    const release = await cedar.call<ReleaseResource>('/apps/carried/releases', {
      method: 'POST',
      body: json({ slug: announced.id }),
    });
    expect(release).toMatchObject({ slug: { id: announced.id }, description: 'Deployed 0b0e75c1' });
    await formationMet(ash, 'carried', 1);
    await answers(ash, 'carried', /^carried web\.1 -$/);
  },
);

test('a build under way is listed, read and cancelled at any peer', { timeout: LONG_MS }, async () => {
  await ash.kith(['apps:create', 'slow', '--no-remote']);
  const dir = writeApp(join(cluster.dir, 'source', 'slow'), 'slow');
  const buildpack = join(cluster.dir, 'sleepy');
  mkdirSync(join(buildpack, 'bin'), { recursive: true });
  writeFileSync(join(buildpack, 'bin/detect'), '#!/bin/sh\necho Sleepy\n', { mode: 0o755 });
  writeFileSync(join(buildpack, 'bin/compile'), '#!/bin/sh\necho "-----> Sleeping"\nsleep 600\n', {
    mode: 0o755,
  });
  const url = await upload(ash, dir);
  const started = await ash.call<BuildResource>('/apps/slow/builds', {
    method: 'POST',
    body: json({ source_blob: { url, version: 'v1' }, buildpacks: [{ url: buildpack }] }),
  });
  const path = `/apps/slow/builds/${started.id}`;
  const elsewhere = await eventually(() => birch.call<BuildResource>(path), { withinMs: WAIT_MS });
  expect(elsewhere.status).toBe('pending');
  const response = await fetch(elsewhere.output_stream_url);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let seen = '';
  while (!seen.includes('-----> Sleeping')) {
    const { value, done } = await reader.read();
    if (done) break;
    seen += Buffer.from(value).toString();
  }
  expect(seen).toContain('-----> Sleeping');
  await reader.cancel();
  expect(await cedar.call<BuildResource>(path, { method: 'DELETE' })).toMatchObject({ status: 'failed' });
  await eventually(
    async () => expect(await cedar.call<BuildResource>(path)).toMatchObject({ status: 'failed' }),
    { withinMs: WAIT_MS, everyMs: 200 },
  );
});
