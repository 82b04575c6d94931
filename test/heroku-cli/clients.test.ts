import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { createGzip } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Acme } from '../addons/acme.ts';
import { formationMet, writeApp } from '../cluster/apps.ts';
import { useCluster } from '../cluster/cluster.ts';
import type { Peer } from '../cluster/peer.ts';
import { eventually } from '../helpers/eventually.ts';
import { replicated } from './heroku.ts';

type Fields = Readonly<Record<string, unknown>>;
type Body = { readonly body: unknown };
/** The `heroku-client` of npm, as scripts and bots use it. */
type Client = {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, options: Body): Promise<T>;
  patch<T>(path: string, options: Body): Promise<T>;
  put<T>(path: string, options: Body): Promise<T>;
  delete<T>(path: string, options?: Body): Promise<T>;
  request<T>(
    options: Body & { readonly path: string; readonly method: string; readonly headers: Fields },
  ): Promise<T>;
};
const HerokuClient = createRequire(import.meta.url)('heroku-client') as new (options: {
  readonly host: string;
  readonly token: string;
}) => Client;

const TEST_MS = 400_000;
const WAIT_MS = 60_000;
const APP = 'infra';
const cluster = useCluster(3);
const acme = new Acme();
let turn = 0;

function clientOf(peer: Peer): Client {
  return new HerokuClient({ host: peer.api, token: cluster.peer('ash').token });
}

/** A client of another peer than the last. */
function client(): Client {
  const peer = cluster.peers[(turn += 1) % cluster.peers.length];
  if (peer === undefined) throw new Error('A cluster has at least one peer');
  return clientOf(peer);
}

beforeAll(async () => {
  await acme.start();
  await client().post('/kith/providers', { body: acme.manifest });
});
afterAll(() => acme[Symbol.asyncDispose]());

test('errors have the status and the fields that the library hands on', async () => {
  await expect(client().get('/apps/nothing')).rejects.toMatchObject({
    statusCode: 404,
    body: { id: 'not_found', resource: 'app' },
  });
  await expect(client().post('/apps', { body: { name: 'NO' } })).rejects.toMatchObject({
    statusCode: 422,
    body: { id: 'invalid_params' },
  });
});

test('a request sent again, with the same Request-Id, is the same write at whichever peer it lands', async () => {
  const headers = { 'Request-Id': randomUUID() };
  const made: Fields[] = [];
  for (const peer of cluster.peers) {
    const again = { path: '/apps', method: 'POST', headers, body: { name: 'once' } };
    made.push(await clientOf(peer).request<Fields>(again));
  }
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  await expect(client().post('/apps', { body: { name: 'once' } })).rejects.toMatchObject({ statusCode: 422 });
});

/** What a declarative tool manages: how each thing is made, read back, changed and destroyed. */
type Managed = {
  readonly create: () => Promise<unknown>;
  readonly read: (heroku: Client) => Promise<unknown>;
  readonly update?: () => Promise<unknown>;
  readonly destroy: () => Promise<unknown>;
};

test(
  'a folder is built and released by API: source, upload, build, output',
  { timeout: TEST_MS },
  async () => {
    const heroku = client();
    await heroku.post('/apps', { body: { name: APP } });
    await heroku.put(`/apps/${APP}/buildpack-installations`, {
      body: { updates: [{ buildpack: 'heroku/procfile' }] },
    });
    const { source_blob: source } = await heroku.post<{ source_blob: { get_url: string; put_url: string } }>(
      '/sources',
      { body: {} },
    );
    const uploaded = await fetch(source.put_url, {
      method: 'PUT',
      body: await archive(writeApp(join(cluster.dir, 'app'))),
    });
    expect(uploaded.status).toBe(200);
    const build = await heroku.post<{ id: string; status: string; output_stream_url: string }>(
      `/apps/${APP}/builds`,
      {
        body: { source_blob: { url: source.get_url, version: 'abc123' } },
      },
    );
    expect(build.status).toBe('pending');
    const { body } = await fetch(build.output_stream_url);
    if (body === null) throw new Error('A build has output');
    expect(await text(body)).toContain('Build succeeded');
    const built = await eventually(
      async () => {
        const found = await client().get<Fields & { status: string }>(`/apps/${APP}/builds/${build.id}`);
        return found.status === 'succeeded' ? found : null;
      },
      { withinMs: WAIT_MS },
    );
    expect(built).toMatchObject({
      source_blob: { version: 'abc123' },
      user: { email: 'admin@ash' },
      app: { name: APP },
    });
    await formationMet(cluster.peer('cedar'), APP, 1);
  },
);

/** A folder as a .tar.gz. */
async function archive(dir: string): Promise<Buffer<ArrayBuffer>> {
  const tar = pack();
  for (const name of readdirSync(dir)) tar.entry({ name }, readFileSync(join(dir, name)));
  tar.finalize();
  return Buffer.from(await buffer(tar.pipe(createGzip())));
}

test(
  'app, config, formation, domain, add-on and drain are declared, read back unchanged at every peer, changed and destroyed',
  { timeout: TEST_MS },
  async () => {
    const managed: Readonly<Record<string, Managed>> = {
      app: {
        create: () => client().patch(`/apps/${APP}`, { body: { maintenance: true } }),
        read: (heroku) => heroku.get(`/apps/${APP}`),
        update: () => client().patch(`/apps/${APP}`, { body: { maintenance: false } }),
        destroy: () => client().delete(`/apps/${APP}`),
      },
      config: {
        create: () => client().patch(`/apps/${APP}/config-vars`, { body: { A: '1', B: 'two words' } }),
        read: (heroku) => heroku.get(`/apps/${APP}/config-vars`),
        update: () => client().patch(`/apps/${APP}/config-vars`, { body: { A: '2', B: null } }),
        destroy: () => client().patch(`/apps/${APP}/config-vars`, { body: { A: null } }),
      },
      formation: {
        create: () =>
          client().patch(`/apps/${APP}/formation/web`, { body: { quantity: 2, size: 'standard-1x' } }),
        read: (heroku) => heroku.get(`/apps/${APP}/formation/web`),
        update: () => client().patch(`/apps/${APP}/formation/web`, { body: { quantity: 1 } }),
        destroy: () => client().patch(`/apps/${APP}/formation/web`, { body: { quantity: 0 } }),
      },
      domain: {
        create: () =>
          client().post(`/apps/${APP}/domains`, {
            body: { hostname: 'infra.example.com', sni_endpoint: null },
          }),
        read: (heroku) => heroku.get(`/apps/${APP}/domains/infra.example.com`),
        destroy: () => client().delete(`/apps/${APP}/domains/infra.example.com`),
      },
      addon: {
        create: () =>
          client().post(`/apps/${APP}/addons`, {
            body: { plan: { name: 'acme-redis:mini' }, name: 'infra-cache', config: {} },
          }),
        read: (heroku) => heroku.get('/addons/infra-cache'),
        update: () =>
          client().patch(`/apps/${APP}/addons/infra-cache`, { body: { plan: { name: 'acme-redis:big' } } }),
        destroy: () => client().delete(`/apps/${APP}/addons/infra-cache`),
      },
      drain: {
        create: () =>
          client().post(`/apps/${APP}/log-drains`, { body: { url: 'syslog+tls://127.0.0.1:6514' } }),
        read: (heroku) =>
          heroku.get(`/apps/${APP}/log-drains/${encodeURIComponent('syslog+tls://127.0.0.1:6514')}`),
        destroy: () =>
          client().delete(`/apps/${APP}/log-drains/${encodeURIComponent('syslog+tls://127.0.0.1:6514')}`),
      },
    };
    await replicated(cluster);
    for (const { create } of Object.values(managed)) await create();
    const stable = await refresh(managed);
    expect(stable).toMatchObject({
      app: { name: APP, maintenance: true },
      config: { A: '1', B: 'two words', REDIS_URL: expect.stringContaining('redis://mini') },
      formation: { type: 'web', quantity: 2, size: 'Standard-1X' },
      domain: { hostname: 'infra.example.com', kind: 'custom' },
      addon: { plan: { name: 'acme-redis:mini' }, state: 'provisioned', config_vars: ['REDIS_URL'] },
      drain: { url: 'syslog+tls://127.0.0.1:6514' },
    });
    for (const { update } of Object.values(managed)) await update?.();
    expect(await refresh(managed)).toMatchObject({
      app: { maintenance: false },
      config: { A: '2', REDIS_URL: expect.stringContaining('redis://big') },
      formation: { quantity: 1, size: 'Standard-1X' },
      addon: { plan: { name: 'acme-redis:big' } },
    });
    for (const { destroy } of Object.values(managed).toReversed()) await destroy();
    await eventually(
      async () =>
        client()
          .get(`/apps/${APP}`)
          .then(
            () => false,
            () => true,
          ),
      { withinMs: WAIT_MS },
    );
    await eventually(() => acme.names.length === 0, { withinMs: WAIT_MS });
  },
);

/** Reads everything at every peer until all say the same: a plan made of that has nothing to do. */
async function refresh(managed: Readonly<Record<string, Managed>>): Promise<Fields> {
  return eventually(
    async () => {
      const rounds: Fields[] = [];
      for (const peer of cluster.peers) {
        const heroku = clientOf(peer);
        const read = Object.entries(managed).map(
          async ([name, each]) => [name, await each.read(heroku)] as const,
        );
        rounds.push(withoutPeer(Object.fromEntries(await Promise.all(read))));
      }
      for (const round of rounds) expect(round).toEqual(rounds[0]);
      return rounds[0];
    },
    { withinMs: WAIT_MS, everyMs: 500 },
  );
}

/** An app's addresses are those of the peer that is asked: no declarative tool compares them. */
function withoutPeer(state: Fields): Fields {
  const { app, ...rest } = state;
  const { git_url: _git, web_url: _web, ...stable } = app as Fields;
  return { ...rest, app: stable };
}
