import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { beforeAll, expect, test } from 'vitest';
import { AttachSessions } from '../../agent/api/attach-sessions.ts';
import { serveRendezvous } from '../../agent/api/rendezvous.ts';
import { createClusterCa, issueLeaf } from '../../agent/api/ca.ts';
import type { PemPair } from '../../agent/api/ca.ts';
import { encodeFrame, FRAME, FrameDecoder } from '../../src/platform/attach-frames.ts';
import { eventually } from '../helpers/eventually.ts';
import { frameEcho } from './frame-echo.ts';
import { at, startApi } from './harness.ts';
import type { Harness } from './harness.ts';

/** Nobody takes their rights away here. */
const NEVER = new AbortController().signal;

async function attachSecret(api: Harness, more: object = {}): Promise<string> {
  const { body } = await api.call('POST', '/apps/blog/dynos', { command: 'cat', attach: true, ...more });
  return new URL(at(body, 'attach_url')).pathname.slice(1);
}

async function upgrade(where: object, secret: string): Promise<Duplex> {
  const attempt = request({
    ...where,
    path: `/kith/attach/${secret}`,
    headers: { connection: 'Upgrade', upgrade: 'kith-attach' },
  });
  attempt.end();
  const [, socket] = (await Promise.race([
    once(attempt, 'upgrade'),
    once(attempt, 'response').then(([response]) => {
      throw new Error(String((response as IncomingMessage).statusCode));
    }),
  ])) as [IncomingMessage, Duplex];
  return socket;
}

async function echo(socket: Duplex, words: string): Promise<string> {
  socket.write(encodeFrame(FRAME.data, Buffer.from(words)));
  socket.write(encodeFrame(FRAME.eof));
  const decoder = new FrameDecoder();
  let heard = '';
  for await (const chunk of socket) {
    for (const frame of decoder.push(chunk as Buffer)) {
      if (frame.type === FRAME.data) heard += frame.payload.toString();
      if (frame.type === FRAME.exit) heard += ` exit ${frame.payload.toString()}`;
    }
  }
  return heard;
}

test('frames pass both ways after an upgrade, over the network and the local socket', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  for (const where of [{ host: '127.0.0.1', port: api.port }, { socketPath: api.socketPath }]) {
    const socket = await upgrade(where, await attachSecret(api));
    expect(await echo(socket, 'hello')).toBe('hello exit {"status":0,"signal":null}');
  }
});

test('a secret is good once, and only with the upgrade', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const secret = await attachSecret(api);
  const where = { host: '127.0.0.1', port: api.port };
  expect((await api.call('GET', `/kith/attach/${secret}`)).status).toBe(404);
  const socket = await upgrade(where, secret);
  await expect(upgrade(where, secret)).rejects.toThrow('404');
  await expect(upgrade(where, '0unknown')).rejects.toThrow('404');
  socket.destroy();
  await eventually(() => api.host.oneOffs[0]?.attach?.destroyed);
});

test('a one-off whose client does not come in time is ended', async () => {
  using sessions = new AttachSessions(5);
  const stream = frameEcho();
  const secret = sessions.open({ stream, hasTty: true, endsInput: false, ended: NEVER });
  await once(stream, 'close');
  expect(sessions.take(secret)).toBeNull();
});

test('an attach that has not begun ends with the server', async () => {
  const api = await startApi();
  await api.deployedApp('blog');
  await attachSecret(api);
  await api[Symbol.asyncDispose]();
  expect(api.host.oneOffs[0]?.attach?.destroyed).toBe(true);
});

let ca: PemPair;
let leaf: PemPair;
beforeAll(async () => {
  ca = await createClusterCa();
  leaf = await issueLeaf(ca, []);
});

test('the official client gets a banner in a chunk of its own, then raw bytes', async () => {
  await using api = await startApi({ tls: () => ({ key: leaf.keyPem, cert: leaf.certPem }) });
  await api.deployedApp('blog');
  const secret = await attachSecret(api, { force_no_tty: true });
  const client = connect({ host: '127.0.0.1', port: api.port, ca: ca.certPem });
  client.write(`${secret}\r\n`);
  const [banner] = (await once(client, 'data')) as [Buffer];
  expect(banner.toString()).toBe('rendezvous\r\n');
  client.write('raw words');
  const [said] = (await once(client, 'data')) as [Buffer];
  expect(said.toString()).toBe('raw words');
  // Without a terminal, a lone ^D is the end of the input: the echo then exits.
  client.write('\x04');
  expect(await text(client)).toBe('');
});

test('a command that is over at once waits with its end for the ^D of a client without a terminal', async () => {
  for (const endsInput of [true, false]) {
    using sessions = new AttachSessions();
    const [stream, dyno] = duplexPair();
    const [socket, client] = duplexPair();
    dyno.write(encodeFrame(FRAME.exit, Buffer.from('{"status":0,"signal":null}')));
    client.write(`${sessions.open({ stream, hasTty: true, endsInput, ended: NEVER })}\r\n`);
    serveRendezvous(sessions, socket);
    await once(client, 'data');
    await eventually(() => socket.writableEnded === !endsInput);
    client.write('\x04');
    await eventually(() => socket.writableEnded);
  }
});

test('an unknown secret at the rendezvous is hung up on', async () => {
  await using api = await startApi({ tls: () => ({ key: leaf.keyPem, cert: leaf.certPem }) });
  const client = connect({ host: '127.0.0.1', port: api.port, ca: ca.certPem });
  client.write('0nobody-waits-here\r\n');
  expect(await text(client)).toBe('');
});
