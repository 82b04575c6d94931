import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { setUp } from '../../agent/pipelines/set-up.ts';
import type { SetUpParts } from '../../agent/pipelines/set-up.ts';
import { watchReviewApp } from '../../agent/pipelines/watch-review-app.ts';
import type { AppId, PipelineId, SetupId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import { dutiesIn } from '../../src/ledger/duties.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import type { ReviewOf } from '../../src/ledger/pipelines/pipeline-types.ts';
import type { BuildOutcome, BuildRequest } from '../../src/shell/builds.ts';
import { FileBlobs } from '../api/file-blobs.ts';
import { LedgerHost } from '../api/ledger-host.ts';
import { SLUG } from '../api/slug.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { uuid } from '../ledger/pipeline-history.ts';

const APP = uuid<AppId>('app');
const SETUP = uuid<SetupId>('setup');
const SHOP = uuid<PipelineId>('pipeline');
const BY = { user: 'ann@example.com', request: null };
const NEVER = new AbortController().signal;
const DUTY: Duty = { kind: 'setup', key: `setup/${APP}` };

/** A peer that builds any source at once, where `outcome` does not say otherwise. */
class Stage implements AsyncDisposable {
  readonly host = new LedgerHost();
  readonly builds: BuildRequest[] = [];
  outcome: (() => BuildOutcome | never) | null = null;
  postdeploy: { status: number | null } | null = null;
  readonly #dir;
  readonly #blobs: FileBlobs;

  private constructor(dir: Awaited<ReturnType<typeof tempDir>>) {
    this.#dir = dir;
    this.#blobs = new FileBlobs(dir.path);
  }

  static async open(appJson: unknown, review: ReviewOf | null = null): Promise<Stage> {
    const stage = new Stage(await tempDir('kith-set-up-'));
    const root = join(stage.#dir.path, 'root');
    mkdirSync(root);
    writeFileSync(join(root, 'app.json'), typeof appJson === 'string' ? appJson : JSON.stringify(appJson));
    const archive = join(stage.#dir.path, 'archive');
    execFileSync('tar', ['-czf', archive, '-C', root, '.']);
    const { id: source } = await stage.#blobs.write(createReadStream(archive));
    const { host } = stage;
    if (review !== null) host.write({ type: 'pipeline.set', pipeline: SHOP, name: 'shop' }, BY);
    const env = { GIVEN: host.seal(APP, 'GIVEN', 'yes') };
    const setup = { setup: SETUP, build: 'build', source, version: 'v1', env, buildpacks: null, review };
    host.write({ type: 'setup.create', app: APP, name: 'guestbook', fallbackName: 'fog', setup }, BY);
    return stage;
  }

  get app(): App {
    const app = this.host.view().apps.get(APP);
    if (app === undefined) throw new Error('No app');
    return app;
  }

  value(key: string): string | null {
    const sealed = this.app.config.get(key)?.value;
    return sealed == null ? null : this.host.open(APP, key, sealed);
  }

  /** What a peer does that has this duty. */
  work(signal = NEVER): Promise<void> {
    const parts: SetUpParts = {
      host: this.host,
      blobs: { fetch: async () => {}, path: (id) => this.#blobs.path(id) },
      builds: { run: async (request) => this.#build(request) },
      releases: {
        finish: async (_app, _release, _user, print) => {
          print?.('seeded');
          return { isReleased: true, postdeploy: this.postdeploy };
        },
      },
      addons: { services: () => [] },
      holders: () => [],
      log: pino({ level: 'silent' }),
    };
    return setUp(parts, DUTY, signal);
  }

  async #build(request: BuildRequest): Promise<BuildOutcome> {
    await text(request.source);
    this.builds.push(request);
    const told = this.outcome?.() ?? null;
    if (told?.status === 'failed') this.#record();
    if (told !== null) return told;
    const deploy = { type: 'release.deploy', app: APP, slug: SLUG, description: '' } as const;
    this.host.write(deploy, { ...BY, request: request.request });
    const release = [...this.app.releases.values()].at(-1)?.id;
    if (release === undefined) throw new Error('No release');
    return { status: 'succeeded', release };
  }

  #record(): void {
    const about = { commit: null, buildpacks: [], output: null, release: null, startedAt: 0 };
    this.host.write({ type: 'build.record', app: APP, build: 'build', status: 'failed', ...about }, BY);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dir[Symbol.asyncDispose]();
  }
}

test('a setup sets config vars and buildpacks, builds, and has succeeded', async () => {
  await using stage = await Stage.open({
    env: { SECRET: { generator: 'secret' }, MODE: 'demo', GIVEN: {} },
    buildpacks: [{ url: 'procfile' }],
  });
  stage.postdeploy = { status: 0 };
  await stage.work();
  expect([stage.value('MODE'), stage.value('GIVEN')]).toEqual(['demo', 'yes']);
  expect(stage.value('SECRET')).toMatch(/^[0-9a-f]{64}$/);
  expect(stage.app.buildpacks).toEqual(['procfile']);
  expect(stage.app.setup?.settled).toMatchObject({
    status: 'succeeded',
    postdeploy: { exitCode: 0, output: 'seeded' },
  });
  expect(dutiesIn(stage.host.view())).toEqual([]);
});

test('a peer that takes over makes no secret and no release anew', async () => {
  await using stage = await Stage.open({ env: { SECRET: { generator: 'secret' } } });
  const died = new AbortController();
  stage.outcome = () => {
    died.abort();
    throw new Error('The peer died');
  };
  await expect(stage.work(died.signal)).rejects.toThrow();
  const secret = stage.value('SECRET');
  expect(stage.app.setup?.settled).toBe(null);
  stage.outcome = null;
  await stage.work();
  expect(stage.value('SECRET')).toBe(secret);
  const before = stage.app.releases.size;
  await stage.work();
  expect(stage.builds).toHaveLength(2);
  expect(stage.app.releases.size).toBe(before);
});

test('what fails takes the app with it and says why', async () => {
  const failures = [
    { appJson: '{', reason: 'invalid app.json' },
    { appJson: { stack: 'cedar-14' }, reason: 'invalid app.json' },
    { appJson: { env: { NEED: {} } }, reason: 'app.json asks for config vars that were not given: NEED' },
    { appJson: { addons: ['nobody-has-it'] }, reason: /nobody-has-it/ },
  ];
  for (const { appJson, reason } of failures) {
    await using stage = await Stage.open(appJson);
    await stage.work();
    expect(stage.app.destroyed).toBe(true);
    const { settled } = stage.app.setup ?? {};
    expect(settled?.status).toBe('failed');
    expect(settled?.reason).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
  }
});

test('an app.json with more flaws than the ledger takes ends a setup as well', async () => {
  const key = (at: number): string => `${'N'.repeat(150)}${at}`;
  const wishes = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [key(at), {}]));
  const flaws = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`${at}`, {}]));
  for (const env of [wishes, flaws]) {
    await using stage = await Stage.open({ env });
    await stage.work();
    expect(stage.app.setup?.settled).toMatchObject({ status: 'failed' });
    expect(stage.app.setup?.settled?.manifestErrors).toHaveLength(100);
  }
});

test('a build that fails, and a postdeploy command that does, end a setup', async () => {
  await using broken = await Stage.open({});
  broken.outcome = () => ({ status: 'failed', reason: 'no buildpack fits' });
  await broken.work();
  expect(broken.app.setup?.settled?.reason).toBe('The build failed: no buildpack fits');

  await using unseeded = await Stage.open({});
  unseeded.postdeploy = { status: 3 };
  await unseeded.work();
  expect(unseeded.app).toMatchObject({
    destroyed: true,
    setup: { settled: { postdeploy: { exitCode: 3, output: 'seeded' } } },
  });
});

test('a review app is built with the review part of its app.json, and the config vars of its stage', async () => {
  const review = { pipeline: SHOP, branch: 'red', prNumber: null };
  const appJson = { env: { A: 'all', B: 'all' }, environments: { review: { env: { B: 'review' } } } };
  await using stage = await Stage.open(appJson, review);
  const config = { A: stage.host.seal(SHOP, 'A', 'stage') };
  stage.host.write({ type: 'pipeline.config', pipeline: SHOP, stage: 'review', config }, BY);
  await stage.work();
  expect([stage.value('A'), stage.value('B')]).toEqual(['stage', 'review']);
  expect(stage.builds[0]?.environment).toBe('review');
});

test('a review app is destroyed once nothing was released to it for as long as its pipeline says', async () => {
  await using stage = await Stage.open({}, { pipeline: SHOP, branch: 'red', prNumber: null });
  await stage.work();
  const watch = (): Promise<void> =>
    watchReviewApp(
      { host: stage.host, log: pino({ level: 'silent' }) },
      { kind: 'review', key: `review/${APP}` },
    );
  const settings = { baseName: null, destroysStale: true, staleDays: 5 };
  stage.host.write({ type: 'pipeline.review', pipeline: SHOP, review: settings }, BY);
  await watch();
  expect(stage.app.destroyed).toBe(false);
  stage.host.write({ type: 'pipeline.review', pipeline: SHOP, review: { ...settings, staleDays: 0 } }, BY);
  await watch();
  expect(stage.app.destroyed).toBe(true);
});
