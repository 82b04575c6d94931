import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AppSetupResource } from '../../src/platform/app-setup.ts';
import type { CouplingResource, PipelineResource } from '../../src/platform/pipeline.ts';
import type { PromotionTargetResource } from '../../src/platform/promotion.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { runKith, type Ran } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const TIMES = { created_at: '2026-01-02T03:04:05.000Z', updated_at: '2026-01-02T03:04:05.000Z' };
const PIPELINE: PipelineResource = {
  id: 'pipeline-id',
  name: 'blog',
  owner: { id: 'user-id', type: 'user', email: 'ada@example.com' },
  generation: { id: 'generation-id', name: 'cedar' },
  ...TIMES,
};

function couplingOf(name: string, stage: CouplingResource['stage']): CouplingResource {
  const pipeline = { id: PIPELINE.id, name: PIPELINE.name };
  return { id: `${name}-coupling`, app: { id: `${name}-id`, name }, pipeline, stage, ...TIMES };
}

/** `blog-staging` and, in production, `blog`. */
async function stubOf(): Promise<StubApi> {
  const stub = await StubApi.start();
  const couplings = [couplingOf('blog-staging', 'staging'), couplingOf('blog', 'production')];
  const apps = couplings.map(({ app }) => ({ ...app, web_url: `http://${app.name}.localhost/` }));
  return stub
    .on('GET /pipelines/blog', PIPELINE)
    .on('GET /pipelines/pipeline-id/pipeline-couplings', couplings)
    .on('GET /apps/blog-staging/pipeline-couplings', couplings[0] ?? null)
    .on('GET /apps/blog/pipeline-couplings', couplings[1] ?? null)
    .on('POST /filters/apps', apps);
}

function kith(stub: StubApi, line: string): Promise<Ran> {
  const env = { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog-staging' };
  return runKith(line.split(' '), { env });
}

test('pipelines:info lists the apps of a pipeline by stage', async () => {
  await using stub = await stubOf();
  const { stdout } = await kith(stub, 'pipelines:info blog');
  expect(stdout).toContain('=== blog\nOwner: ada@example.com\n');
  expect(stdout).toMatch(/blog-staging {2}staging\nblog {10}production\n$/);
  expect(stub.sent('POST /filters/apps').body).toEqual({ in: { id: ['blog-staging-id', 'blog-id'] } });
});

test('pipelines:create guesses the name and the stage from the app', async () => {
  await using stub = await stubOf();
  stub.on('POST /pipelines', PIPELINE).on('POST /pipeline-couplings', couplingOf('blog-staging', 'staging'));
  const { stderr } = await kith(stub, 'pipelines:create');
  expect(stderr).toContain('Creating the pipeline blog... done');
  expect(stub.sent('POST /pipelines').body).toEqual({ name: 'blog' });
  expect(stub.sent('POST /pipeline-couplings').body).toEqual({
    app: 'blog-staging',
    pipeline: 'pipeline-id',
    stage: 'staging',
  });
  expect(stub.misfits).toEqual([]);
});

test('a stage that there is not is refused before anything is asked', async () => {
  await using stub = await stubOf();
  const { status, stderr } = await kith(stub, 'pipelines:add blog --stage live');
  expect(status).not.toBe(0);
  expect(stderr).toContain('There is no stage "live"');
  expect(stub.requests).toEqual([]);
});

test('pipelines:promote goes to the next stage, waits, and tells what became of each app', async () => {
  await using stub = await stubOf();
  const target = (status: PromotionTargetResource['status']): PromotionTargetResource => ({
    id: 'target-id',
    app: { id: 'blog-id' },
    pipeline_promotion: { id: 'promotion-id' },
    release: status === 'pending' ? null : { id: 'release-id' },
    status,
    error_message: status === 'failed' ? 'Its release command failed' : null,
  });
  let asked = 0;
  let end: PromotionTargetResource['status'] = 'succeeded';
  stub
    .on('POST /pipeline-promotions', { id: 'promotion-id' })
    .on('GET /apps/blog-id/releases/release-id', { label: 'v7' })
    .on('GET /pipeline-promotions/promotion-id/promotion-targets', (_request, response) => {
      asked += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify([target(asked === 1 ? 'pending' : end)]));
    });
  const done = await kith(stub, 'pipelines:promote');
  expect(done.stdout).toBe('⬢ blog: succeeded, v7\n');
  expect(done.status).toBe(0);
  expect(stub.sent('POST /pipeline-promotions').body).toEqual({
    pipeline: { id: 'pipeline-id' },
    source: { app: { id: 'blog-staging-id' } },
    targets: [{ app: { id: 'blog-id' } }],
  });
  expect(stub.misfits).toEqual([]);
  end = 'failed';
  const failed = await kith(stub, 'pipelines:promote --to blog');
  expect(failed.stdout).toBe('⬢ blog: failed, v7: Its release command failed\n');
  expect(failed.status).toBe(1);
});

test('what is in production, or not in the pipeline, is not promoted', async () => {
  await using stub = await stubOf();
  const last = await kith(stub, 'pipelines:promote -a blog');
  expect(last.stderr).toContain('Nothing comes after blog: it is at the stage production');
  const stranger = await kith(stub, 'pipelines:promote --to shop');
  expect(stranger.stderr).toContain('"shop" is not in the pipeline');
});

test('pipelines:diff compares commits with the next stage', async () => {
  await using stub = await stubOf();
  for (const [app, commit] of [
    ['blog-staging-id', 'a'.repeat(40)],
    ['blog-id', 'b'.repeat(40)],
  ] as const) {
    stub.on(`GET /apps/${app}/releases/current`, { slug: { id: 'slug' } });
    stub.on(`GET /apps/${app}/slugs/slug`, { commit });
  }
  expect((await kith(stub, 'pipelines:diff')).stdout).toBe(
    '⬢ blog-staging runs aaaaaaaaaaaa\n⬢ blog runs bbbbbbbbbbbb\n  git log bbbbbbbbbbbb..aaaaaaaaaaaa\n',
  );
});

test('review-apps:create sends the folder, shows its build, and says where the app is', async () => {
  await using stub = await stubOf();
  await using dir = await tempDir('kith-review-');
  writeFileSync(join(dir.path, 'Procfile'), 'web: x\n');
  const setup: AppSetupResource = {
    id: 'setup-id',
    app: { id: 'app-id', name: 'blog-red' },
    build: { id: 'build-id', status: 'succeeded', output_stream_url: 'unused' },
    status: 'succeeded',
    failure_message: null,
    manifest_errors: [],
    postdeploy: null,
    resolved_success_url: 'http://blog-red.localhost/',
    ...TIMES,
  };
  let asked = 0;
  stub
    .on('POST /sources', {
      source_blob: { get_url: `http://${stub.host}/sources/s`, put_url: `http://${stub.host}/sources/s` },
    })
    .on('PUT /sources/s', {})
    .on('POST /review-apps', { app_setup: { id: 'setup-id' } })
    .on('GET /app-setups/setup-id/output', (_request, response) => void response.end('-----> Building\n'))
    .on('GET /app-setups/setup-id', (_request, response) => {
      asked += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(asked === 1 ? { ...setup, status: 'pending' } : setup));
    });
  const { stdout, status } = await kith(
    stub,
    `review-apps:create ${dir.path} -p blog -b red --pr 12 -e MODE=demo --version v1`,
  );
  expect([stdout, status]).toEqual(['-----> Building\n⬢ blog-red http://blog-red.localhost/\n', 0]);
  expect(stub.sent('POST /review-apps').body).toEqual({
    branch: 'red',
    pipeline: 'blog',
    source_blob: { url: `http://${stub.host}/sources/s`, version: 'v1' },
    environment: { MODE: 'demo' },
    pr_number: 12,
  });
  expect(stub.misfits).toEqual([]);
  stub.on('GET /app-setups/setup-id', {
    ...setup,
    status: 'failed',
    failure_message: 'invalid app.json',
    manifest_errors: ['"env.A": no'],
  });
  const failed = await kith(stub, `review-apps:create ${dir.path} -p blog -b red --version v1`);
  expect(failed.stderr).toContain('The setup failed: invalid app.json');
  expect(failed.stderr).toContain('app.json: "env.A": no');
});
