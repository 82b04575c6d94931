import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must } from '../../scripts/lib/kith.ts';
import { eventually } from '../helpers/eventually.ts';
import { answers, formationMet } from './apps.ts';
import { useCluster, WAIT_MS } from './cluster.ts';
import type { Peer } from './peer.ts';
import { Repo } from './repo.ts';

const TEST_MS = 480_000;
const APP = 'echo';
const cluster = useCluster(3);
const ash = cluster.peer('ash');
const birch = cluster.peer('birch');
const cedar = cluster.peer('cedar');

test('the only dyno of an app is reached through every peer', { timeout: TEST_MS }, async () => {
  const repo = await Repo.create(join(cluster.dir, 'source'), {}, join(ROOT, 'test', 'fixtures', 'echo'));
  await ash.kith(['apps:create', APP, '--no-remote']);
  must(await repo.push(ash, APP));
  for (const peer of cluster.peers) {
    await formationMet(peer, APP, 1);
    await answers(peer, APP, /^one/);
  }
  for (const peer of cluster.peers)
    expect(await ask(peer, '/')).toMatchObject({ status: 200, text: 'one web.1 -' });
});

test("the app gets Heroku headers, and the client the app's own", { timeout: TEST_MS }, async () => {
  for (const peer of cluster.peers) {
    const { text, headers } = await ask(peer, '/headers', { 'x-forwarded-for': '203.0.113.9' });
    const seen = JSON.parse(text) as Record<string, string>;
    expect(seen).toMatchObject({
      host: `${APP}.localhost`,
      'x-forwarded-for': '203.0.113.9, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': new URL(peer.agent.ready.http).port,
      via: expect.stringMatching(/^1\.1 \w/),
      'x-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
      'x-request-start': expect.stringMatching(/^\d{13}$/),
    });
    expect(headers.via).toMatch(/^1\.1 /);
  }
});

test(
  'a body streams to a dyno and back, through every peer, before it is whole',
  { timeout: TEST_MS },
  async () => {
    for (const peer of cluster.peers) {
      const call = open(peer, '/echo', { 'transfer-encoding': 'chunked' }, 'POST');
      call.write('first');
      const [response] = (await once(call, 'response')) as [IncomingMessage];
      response.setEncoding('utf8');
      expect(await once(response, 'data')).toEqual(['first']);
      call.write('second');
      expect(await once(response, 'data')).toEqual(['second']);
      call.end();
      response.resume();
      await once(response, 'end');
    }
  },
);

test('a WebSocket works through every peer', { timeout: TEST_MS }, async () => {
  for (const peer of cluster.peers) {
    const { host } = new URL(peer.agent.ready.http);
    const socket = new WebSocket(`ws://${host}/chat`, { headers: { host: `${APP}.localhost` } });
    await once(socket, 'open');
    for (const word of ['one', 'two']) {
      socket.send(word);
      const [data] = (await once(socket, 'message')) as [Buffer];
      expect(data.toString()).toBe(`web.1: ${word}`);
    }
    socket.close();
    await once(socket, 'close');
  }
});

test(
  'a custom domain leads to its app at every peer, until it is removed',
  { timeout: TEST_MS },
  async () => {
    expect((await ask(birch, '/', { host: 'www.example.com' })).status).toBe(404);
    await birch.kith(['domains:add', 'www.example.com', '-a', APP]);
    for (const peer of cluster.peers) {
      await eventually(async () => (await ask(peer, '/', { host: 'www.example.com:8001' })).status === 200, {
        withinMs: WAIT_MS,
      });
    }
    expect(await cedar.kith(['domains', '-a', APP])).toContain('www.example.com');
    await cedar.kith(['domains:remove', 'www.example.com', '-a', APP]);
    await eventually(async () => (await ask(ash, '/', { host: 'www.example.com' })).status === 404, {
      withinMs: WAIT_MS,
    });
  },
);

test('every request leaves one router line, at the peer that took it', { timeout: TEST_MS }, async () => {
  const { headers } = await ask(cedar, '/?q=1', { 'x-request-id': 'a-request-of-mine-0001' });
  expect(headers).toBeDefined();
  const line = await eventually(
    async () => {
      const lines = await birch.kith(['logs', '-n', '200', '--dyno', 'router', '-a', APP]);
      return lines.split('\n').find((text) => text.includes('a-request-of-mine-0001'));
    },
    { withinMs: WAIT_MS },
  );
  expect(line).toMatch(
    /heroku\[router\]: at=info method=GET path="\/\?q=1" host=echo\.localhost request_id=a-request-of-mine-0001 fwd="127\.0\.0\.1" dyno=web\.1 connect=\d+ms service=\d+ms status=200 bytes=\d+ protocol=http$/,
  );
});

test(
  'what cannot be served says why: unknown, maintenance, no web dynos, crashed',
  { timeout: TEST_MS },
  async () => {
    expect(await ask(cedar, '/', { host: 'nobody.localhost' })).toMatchObject({
      status: 404,
      text: expect.stringContaining('No such app'),
    });

    await ash.kith(['maintenance:on', '-a', APP]);
    await answersWith('H80');
    await birch.kith(['maintenance:off', '-a', APP]);
    await eventually(async () => (await ask(cedar, '/')).status === 200, { withinMs: WAIT_MS });

    await ash.kith(['ps:scale', 'web=0', '-a', APP]);
    await answersWith('H14');
    await ash.kith(['config:set', 'GREETING=crash', '-a', APP]);
    await ash.kith(['ps:scale', 'web=1', '-a', APP]);
    await answersWith('H10');
  },
);

/** Every peer refuses the app with this code, and its log says so. */
async function answersWith(code: string): Promise<void> {
  for (const peer of cluster.peers) {
    await eventually(
      async () => {
        const { status } = await ask(peer, `/${code}-${peer.name}`);
        if (status !== 503) throw new Error(`"${peer.name}" answered ${status}`);
        const lines = await ash.kith(['logs', '-n', '200', '--dyno', 'router', '-a', APP]);
        return lines
          .split('\n')
          .some((line) => line.includes(`code=${code}`) && line.includes(`path="/${code}-${peer.name}"`));
      },
      { withinMs: WAIT_MS, everyMs: 200 },
    );
  }
}

type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
};

function open(peer: Peer, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
  const { hostname, port } = new URL(peer.agent.ready.http);
  return request({
    hostname,
    port,
    path,
    method,
    headers: { host: `${APP}.localhost`, ...headers },
    agent: false,
    signal: AbortSignal.timeout(WAIT_MS),
  });
}

async function ask(
  peer: Peer,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const call = open(peer, path, headers);
  call.end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}
