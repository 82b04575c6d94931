import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { AgentAddons } from '../../agent/addons/agent-addons.ts';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, VolumeId } from '../../src/ids.ts';
import type { Addon } from '../../src/ledger/addons/addon-types.ts';
import type { Volumes } from '../../src/shell/volumes.ts';
import { eventually } from '../helpers/eventually.ts';
import { createAddon, settleAddon } from '../ledger/addon-builders.ts';
import { as, letIn, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

const EVE = 'eve@example.com';
const BY = { user: 'ann@example.com', request: null };
const REVOKED = 'the token that it was opened with was revoked';
/** More than connections hold of themselves. */
const MUCH = 24 * 1024 ** 2;

/** An add-on without end, and one that takes what it is given. */
class Data extends AgentAddons {
  /** What became of restores. */
  readonly restored: unknown[] = [];

  override async dump(_addon: Addon, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return (async function* () {
      while (!signal.aborted) yield Buffer.alloc(64 * 1024);
    })();
  }

  override async restore(_addon: Addon, dump: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const _ of dump);
      this.restored.push('all of it');
    } catch (error) {
      this.restored.push(error);
      throw error;
    }
  }
}

/** An app with a volume, an add-on and a slug, and Eve who may work with it. */
async function stage() {
  const addons = new Data(() => api.host, '127.0.0.1');
  const volumes = {
    restored: 0,
    dropped: 0,
    backup: async () => {
      const { id, bytes } = await api.blobs.write(Readable.from([Buffer.alloc(MUCH)]));
      return { archive: id, bytes };
    },
    restore: async () => void (volumes.restored += 1),
    drop: async () => void (volumes.dropped += 1),
  };
  const api: Harness = await startApi({ addons, volumes: volumes as unknown as Volumes });
  const app = await api.deployedApp('blog');
  letIn(api, app, EVE, ['view', 'deploy', 'operate']);
  const volume = '00000000-0000-4000-8000-000000000001' as VolumeId;
  const place = { peer: api.host.self, copy: '00000000000000c1' };
  api.host.write({ type: 'volume.create', app, volume, name: 'data', place }, BY);
  api.host.write({ ...createAddon(1), app } as never, BY);
  api.host.write({ ...settleAddon(1, 'provisioned'), app } as never, BY);
  const token = tokenFor(api, EVE, { role: 'collaborator' });
  return { api, app, token, addons, volumes, eve: as(api, token) };
}

type Stage = Awaited<ReturnType<typeof stage>>;

function revoke({ host }: Harness): void {
  const token = [...host.view().tokens.values()].find(({ user }) => user === EVE)?.token ?? '';
  host.write({ type: 'token.revoke', token }, BY);
}

function open({ token }: Stage, method: string, url: string): ClientRequest {
  const attempt = request(url, { method, headers: { authorization: `Bearer ${token}` } });
  attempt.on('error', () => {});
  return attempt;
}

/** Where Eve sends something to. */
const UPLOADS: readonly (readonly [string, (on: Stage) => Promise<readonly [string, string]>])[] = [
  [
    'a source',
    async ({ eve }) => ['PUT', at((await eve('POST', '/sources')).body, 'source_blob', 'put_url')],
  ],
  [
    'a slug',
    async ({ eve }) => [
      'PUT',
      at((await eve('POST', '/apps/blog/slugs', { process_types: { web: 'x' } })).body, 'blob', 'url'),
    ],
  ],
  ['a volume', async ({ api }) => ['PUT', `${api.url}/kith/apps/blog/volumes/data/restore`]],
  ['a database', async ({ api }) => ['PUT', `${api.url}/kith/addons/acme-redis-flat-1/dump`]],
];

test.for(UPLOADS)('an upload of %s is ended with the reason when its token is revoked', async ([, where]) => {
  const on = await stage();
  await using api = on.api;
  const [method, url] = await where(on);
  const upload = open(on, method, url);
  const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
  upload.write(Buffer.alloc(100_000));
  await eventually(() => upload.writableLength === 0);
  revoke(api);
  const [response] = await answered;
  expect(response.statusCode).toBe(403);
  expect(await text(response)).toContain(REVOKED);
  upload.destroy();
  expect(on.volumes.restored).toBe(0);
  expect(on.addons.restored.filter((what) => !(what instanceof PlatformError))).toEqual([]);
  expect(api.host.view().apps.get(on.app)?.uploads.size).toBe(0);
});

/** What Eve reads, and hangs in the middle of. */
const DOWNLOADS: readonly (readonly [string, (on: Stage) => Promise<string>])[] = [
  ['a volume', async () => '/kith/apps/blog/volumes/data/backup'],
  ['a database', async () => '/kith/addons/acme-redis-flat-1/dump'],
  [
    'a slug',
    async ({ eve }) => {
      const { body } = await eve('POST', '/apps/blog/slugs', { process_types: { web: 'x' } });
      await fetch(at(body, 'blob', 'url'), { method: 'PUT', body: Buffer.alloc(MUCH) });
      return `/apps/blog/slugs/${at(body, 'id')}/archive`;
    },
  ],
];

test.for(DOWNLOADS)('a download of %s breaks off when its token is revoked', async ([, where]) => {
  const on = await stage();
  await using api = on.api;
  const path = await where(on);
  const download = open(on, 'GET', `${api.url}${path}`);
  download.end();
  const [response] = (await once(download, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  revoke(api);
  await eventually(() => api.logged.some((line) => line.includes('download broken off')));
  await expect(text(response)).rejects.toThrow('aborted');
  expect(on.volumes.dropped).toBe(path.includes('volumes') ? 1 : 0);
  expect(
    (await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${on.token}` } })).status,
  ).toBe(401);
});

test('URLs to send to are good for no longer than the token that they were asked for with', async () => {
  const on = await stage();
  await using api = on.api;
  const urls = await Promise.all(UPLOADS.slice(0, 2).map(([, where]) => where(on)));
  const [, source = ''] = urls[0] ?? [];
  expect((await fetch(source, { method: 'PUT', body: 'x' })).status).toBe(200);
  revoke(api);
  for (const [, url] of urls) {
    const refused = await fetch(url, { method: 'PUT', body: 'x' });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining(REVOKED)]);
  }
  expect((await fetch(source)).status).toBe(403);
  const build = await api.call('POST', '/apps/blog/builds', { source_blob: { url: source } });
  expect(build).toMatchObject({ status: 403, body: { message: expect.stringContaining(REVOKED) as string } });
});

/** Has something happen to the app in the middle of the start of its one-off. */
function meanwhile({ host }: Harness, happens: () => void): void {
  const run = host.runOneOff.bind(host);
  host.runOneOff = async (wanted) => {
    const made = await run(wanted);
    happens();
    return made;
  };
}

const CHANGES: readonly (readonly [string, (api: Harness, app: AppId) => void])[] = [
  ['renamed', ({ host }, app) => host.write({ type: 'app.update', app, name: 'diary' }, BY)],
  ['destroyed', ({ host }, app) => host.write({ type: 'app.destroy', app }, BY)],
];

test.for(CHANGES)('a command whose app is %s while it starts can be attached to', async ([, change]) => {
  const { api, app, eve } = await stage();
  await using _ = api;
  meanwhile(api, () => change(api, app));
  const answer = await eve('POST', '/apps/blog/dynos', { command: 'cat', attach: true });
  expect(answer.status).toBe(201);
  expect(at(answer.body, 'attach_url')).toMatch(/^rendezvous:/);
});

test('a command whose caller is let in by another token under that id is hung up on', async () => {
  const { api, eve } = await stage();
  await using _ = api;
  const token = [...api.host.view().tokens.values()].find(({ user }) => user === EVE)?.token ?? '';
  meanwhile(api, () => api.host.write({ type: 'token.update', token, hash: 'a'.repeat(64) }, BY));
  const { body } = await eve('POST', '/apps/blog/dynos', { command: 'cat', attach: true });
  const path = `/kith/attach/${new URL(at(body, 'attach_url')).pathname.slice(1)}`;
  const headers = { connection: 'Upgrade', upgrade: 'kith-attach' };
  request({ host: '127.0.0.1', port: api.port, path, headers })
    .on('error', () => {})
    .end();
  await eventually(() => api.host.oneOffs[0]?.attach?.destroyed);
});

test('a command that has ended before its URL was made waits for nobody', async () => {
  const { api, eve } = await stage();
  await using _ = api;
  const run = api.host.runOneOff.bind(api.host);
  api.host.runOneOff = async (wanted) => {
    const made = await run(wanted);
    made.attach?.destroy();
    if (made.attach !== null) await once(made.attach, 'close');
    return made;
  };
  const { body } = await eve('POST', '/apps/blog/dynos', { command: 'cat', attach: true });
  const path = `/kith/attach/${new URL(at(body, 'attach_url')).pathname.slice(1)}`;
  const attempt = request({
    host: '127.0.0.1',
    port: api.port,
    path,
    headers: { connection: 'Upgrade', upgrade: 'kith-attach' },
  });
  attempt.end();
  const [response] = (await once(attempt, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(404);
});
