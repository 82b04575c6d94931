import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createClusterCa, issueLeaf } from '../../agent/api/ca.ts';
import type { AppId } from '../../src/ids.ts';
import { decodeFrames, FRAME } from '../../src/platform/attach-frames.ts';
import { eventually } from '../helpers/eventually.ts';
import { as, letIn, tokenFor } from './callers.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

const EVE = 'eve@example.com';
const BY = { user: 'ann@example.com', request: null };

/** An app that Eve may work with, and how she asks. */
async function stage(options: Parameters<typeof startApi>[0] = {}) {
  const api = await startApi(options);
  const app = await api.deployedApp('blog');
  letIn(api, app, EVE, ['view', 'deploy', 'operate']);
  return { api, app, eve: as(api, tokenFor(api, EVE, { role: 'collaborator' })) };
}

/** What ends her rights, and how that is told. */
const ENDS: readonly (readonly [string, (api: Harness, app: AppId) => void, RegExp])[] = [
  [
    'her token is revoked',
    (api) => api.host.write({ type: 'token.revoke', token: tokenOf(api) }, BY),
    /was revoked/,
  ],
  ['she is removed', (api) => api.host.write({ type: 'user.set', user: EVE, role: null }, BY), /was revoked/],
  [
    'her token is made anew',
    (api) => api.host.write({ type: 'token.update', token: tokenOf(api), hash: 'a'.repeat(64) }, BY),
    /was revoked/,
  ],
  [
    'she is no collaborator any more',
    (api, app) => api.host.write({ type: 'collaborator.set', app, user: EVE, permissions: null }, BY),
    /eve@example.com may not (view|operate) the app blog any more/,
  ],
];

function tokenOf({ host }: Harness): string {
  return [...host.view().tokens.values()].find(({ user }) => user === EVE)?.token ?? '';
}

test.for(ENDS)('a log tail ends and says why when %s, and its URL is good no more', async ([, end, why]) => {
  const { api, app, eve } = await stage();
  await using _ = api;
  const { body } = await eve('POST', '/apps/blog/log-sessions', { tail: true, lines: 1 });
  const mine = await fetch(
    at((await api.call('POST', '/apps/blog/log-sessions', { tail: true })).body, 'logplex_url'),
  );
  const hers = await fetch(at(body, 'logplex_url'));
  end(api, app);
  expect(await hers.text()).toMatch(why);
  expect((await fetch(at(body, 'logplex_url'))).status).toBe(403);
  expect(mine.body?.locked).toBe(false);
  await mine.body?.cancel();
});

test.for(ENDS)('the output of a build under way ends when %s', async ([, end, why]) => {
  const output = new PassThrough();
  const builds = { read: async () => output, underWay: async () => [] };
  const { api, app, eve } = await stage({ clusterBuilds: builds as never });
  await using _ = api;
  const { body: source } = await eve('POST', '/sources');
  await fetch(at(source, 'source_blob', 'put_url'), { method: 'PUT', body: 'x' });
  const { body } = await eve('POST', '/apps/blog/builds', {
    source_blob: { url: at(source, 'source_blob', 'get_url') },
  });
  const url = at(body, 'output_stream_url');
  // It is as secret as it was, whoever's token it was given out for.
  const other = at((await api.call('GET', `/apps/blog/builds/${at(body, 'id')}`)).body, 'output_stream_url');
  expect(other).not.toBe(url);
  expect((await fetch(url.replace(/\/[^/.]+\.([^/]+)$/, '/.$1'))).status).toBe(404);
  output.write('-----> Building\n');
  const reading = await fetch(url);
  end(api, app);
  expect(await reading.text()).toMatch(why);
  // Of a token that was made anew, nobody can tell what its URLs were.
  expect([403, 404]).toContain((await fetch(url)).status);
});

async function attach(api: Harness, url: string): Promise<Duplex> {
  const path = `/kith/attach/${new URL(url).pathname.slice(1)}`;
  const headers = { connection: 'Upgrade', upgrade: 'kith-attach' };
  const attempt = request({ host: '127.0.0.1', port: api.port, path, headers });
  attempt.end();
  const [, socket] = (await once(attempt, 'upgrade')) as [IncomingMessage, Duplex];
  return socket;
}

test.for(ENDS)('an attached command is hung up on, with the reason, when %s', async ([, end, why]) => {
  const { api, app, eve } = await stage();
  await using _ = api;
  const { body } = await eve('POST', '/apps/blog/dynos', { command: 'cat', attach: true });
  const client = await attach(api, at(body, 'attach_url'));
  const frames: { type: number; text: string }[] = [];
  decodeFrames(client, ({ type, payload }) => frames.push({ type, text: payload.toString() }));
  end(api, app);
  await once(client, 'close');
  expect(frames.at(-1)).toEqual({ type: FRAME.error, text: expect.stringMatching(why) as string });
  expect(api.host.oneOffs[0]?.attach?.destroyed).toBe(true);
});

test('the official client of an attached command is told in plain words', async () => {
  const ca = await createClusterCa();
  const leaf = await issueLeaf(ca, []);
  const { api, eve } = await stage({ tls: () => ({ key: leaf.keyPem, cert: leaf.certPem }) });
  await using _ = api;
  const { body } = await eve('POST', '/apps/blog/dynos', { command: 'cat', attach: true });
  const client = connect({ host: '127.0.0.1', port: api.port, ca: ca.certPem });
  client.write(`${new URL(at(body, 'attach_url')).pathname.slice(1)}\r\n`);
  await once(client, 'data');
  api.host.write({ type: 'token.revoke', token: tokenOf(api) }, BY);
  expect(await text(client)).toContain('This has been ended: the token that it was opened with was revoked');
});

test('one who lost their rights before the client came attaches to nothing', async () => {
  const { api, eve } = await stage();
  await using _ = api;
  const { body } = await eve('POST', '/apps/blog/dynos', { command: 'cat', attach: true });
  api.host.write({ type: 'token.revoke', token: tokenOf(api) }, BY);
  const client = await attach(api, at(body, 'attach_url'));
  client.resume();
  await once(client, 'close');
  await eventually(() => api.host.oneOffs[0]?.attach?.destroyed);
});

test('the local socket’s streams are nobody’s to end', async () => {
  const { api } = await stage();
  await using _ = api;
  const made = request({
    socketPath: api.socketPath,
    path: '/apps/blog/log-sessions',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  });
  made.end('{"tail":true}');
  const [response] = (await once(made, 'response')) as [IncomingMessage];
  const tail = await fetch(at(JSON.parse(await text(response)), 'logplex_url'));
  api.host.write({ type: 'user.set', user: EVE, role: null }, BY);
  expect(tail.status).toBe(200);
  await tail.body?.cancel();
});
