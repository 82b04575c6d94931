import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Agent, request } from 'node:https';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { beforeAll, expect, test } from 'vitest';
import type { AppId, CertId } from '../../src/ids.ts';
import type { CertTable, ServedCert } from '../../src/routing/choose-certificate.ts';
import { certificateFor, type TestCertificate } from '../helpers/certificates.ts';
import { eventually } from '../helpers/eventually.ts';
import { send, sendRaw } from './helpers/client.ts';
import { httpDyno } from './helpers/dynos.ts';
import { APP, HOST, routeApp, startRouter, tableOf, target } from './helpers/test-router.ts';

const SHOP = 'app-2' as AppId;
let exact: TestCertificate;
let wildcard: TestCertificate;
let shop: TestCertificate;
let own: TestCertificate;
let fallback: TestCertificate;

beforeAll(async () => {
  exact = await certificateFor(HOST);
  wildcard = await certificateFor('*.example.com');
  shop = await certificateFor('*.shop.example.com');
  own = await certificateFor('blog.localhost');
  fallback = await certificateFor('*.localhost');
});

function served(app: AppId, { cert, key }: TestCertificate, ...names: string[]): ServedCert {
  return { app, cert, key, names };
}

function certs(fields: Partial<CertTable> = {}): CertTable {
  return { certs: {}, ofDomains: {}, ofApps: { [APP]: own }, fallback, ...fields };
}

/** What a client is shown that asks for `servername`. */
async function shown(port: number, servername: string): Promise<PeerCertificate> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...(servername === '' ? {} : { servername }),
  });
  await once(socket, 'secureConnect');
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

/** Names of a certificate without those that all of the test authority's have. */
async function namesShown(port: number, servername: string): Promise<string> {
  const { subjectaltname } = await shown(port, servername);
  return (subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:') && name !== 'DNS:localhost')
    .join(', ');
}

type Answer = { readonly status: number; readonly body: string };

/** One request over TLS that trusts the test's authority alone. */
function sendTls(port: number, host: string, path = '/'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      servername: host,
      ca: own.ca,
      headers: { host },
      agent: false,
    };
    const out = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    out.on('error', reject);
    out.end();
  });
}

/** An open TLS connection that keeps alive, and one request after another on it. */
async function openTls(port: number, host: string): Promise<{ socket: TLSSocket; ask(): Promise<string> }> {
  const socket = connect({ port, host: '127.0.0.1', servername: host, ca: own.ca });
  socket.setEncoding('utf8');
  await once(socket, 'secureConnect');
  return {
    socket,
    async ask() {
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      let text = '';
      // Each dyno here says "here", and no more.
      while (!text.endsWith('here')) text += String(await once(socket, 'data'));
      return text;
    },
  };
}

test('one port serves HTTP and HTTPS, and the dyno and the log hear which it was', async () => {
  await using dyno = await httpDyno((incoming, response) =>
    response.end([incoming.headers['x-forwarded-proto'], incoming.headers['x-forwarded-port']].join(' ')),
  );
  await using router = await startRouter();
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  router.handle.setCerts(certs());
  await eventually(async () => (await namesShown(httpPort, 'blog.localhost')) === 'DNS:blog.localhost');
  expect(await sendTls(httpPort, 'blog.localhost', '/over-tls')).toEqual({
    status: 200,
    body: `https ${httpPort}`,
  });
  expect((await send(httpPort, { path: '/in-clear' })).body).toBe(`http ${httpPort}`);
  await eventually(() => router.lines.length === 2);
  const line = (path: string): string | undefined => router.lines.find((each) => each.includes(path));
  expect(line('/over-tls')).toMatch(/ protocol=https tls=true tls_version=tls1\.3$/);
  expect(line('/in-clear')).toMatch(/ protocol=http$/);
});

test('a second port may be asked for, and is the one that a dyno is told of', async () => {
  await using dyno = await httpDyno((incoming, response) =>
    response.end(incoming.headers['x-forwarded-port']),
  );
  await using router = await startRouter({}, { httpsPort: 0 });
  const { httpsPort } = router.handle;
  if (httpsPort === null) throw new Error('no port');
  expect(httpsPort).not.toBe(router.handle.httpPort);
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  router.handle.setCerts(certs());
  await eventually(async () => (await namesShown(httpsPort, 'blog.localhost')) === 'DNS:blog.localhost');
  expect((await sendTls(httpsPort, 'blog.localhost')).body).toBe(String(httpsPort));
});

test("a client sees the certificate of the app it asks for: the domain's, the exact one, a wildcard's, the cluster's", async () => {
  await using router = await startRouter();
  const { httpPort } = router.handle;
  const blog = routeApp([]);
  const other = { ...routeApp([]), app: SHOP, name: 'shop' };
  const hosts = { [HOST]: APP, 'www.example.com': APP, '*.shop.example.com': SHOP, 'bare.example.org': SHOP };
  await router.handle.setTable(
    tableOf(blog, { hosts, names: { blog: APP, shop: SHOP }, apps: { [APP]: blog, [SHOP]: other } }),
  );
  const all = {
    ['c1' as CertId]: served(APP, wildcard, '*.example.com'),
    ['c2' as CertId]: served(APP, exact, HOST),
    ['c3' as CertId]: served(SHOP, shop, '*.shop.example.com'),
  };
  router.handle.setCerts(certs({ certs: all }));
  await eventually(async () => (await namesShown(httpPort, HOST)) === `DNS:${HOST}`);
  expect(await namesShown(httpPort, 'WWW.example.com')).toBe('DNS:*.example.com');
  expect(await namesShown(httpPort, 'a.shop.example.com')).toBe('DNS:*.shop.example.com');
  // Another app's wildcard would fit this one: it is not that app's to show.
  expect(await namesShown(httpPort, 'bare.example.org')).toBe('DNS:*.localhost');
  expect(await namesShown(httpPort, 'blog.localhost')).toBe('DNS:blog.localhost');
  for (const unknown of ['nobody.example.net', 'nobody.localhost', '__proto__', ''])
    expect(await namesShown(httpPort, unknown)).toBe('DNS:*.localhost');
  router.handle.setCerts(certs({ certs: all, ofDomains: { [HOST]: 'c1' as CertId } }));
  await eventually(async () => (await namesShown(httpPort, HOST)) === 'DNS:*.example.com');
});

test('a renewed certificate counts for new connections, and those that are open go on', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const id = 'c1' as CertId;
  router.handle.setCerts(certs({ certs: { [id]: served(APP, exact, HOST) } }));
  await eventually(async () => (await namesShown(httpPort, HOST)) === `DNS:${HOST}`);
  const open = await openTls(httpPort, HOST);
  expect(await open.ask()).toContain('here');
  const before = (await shown(httpPort, HOST)).serialNumber;
  const renewed = await certificateFor(HOST);
  router.handle.setCerts(certs({ certs: { [id]: served(APP, renewed, HOST) } }));
  await eventually(async () => (await shown(httpPort, HOST)).serialNumber !== before);
  expect(await open.ask()).toContain('here');
  router.handle.setCerts(certs());
  await eventually(
    async () =>
      (await namesShown(httpPort, HOST)) === 'DNS:*.localhost' ||
      (await namesShown(httpPort, HOST)) === 'DNS:blog.localhost',
  );
  expect(await open.ask()).toContain('here');
  open.socket.destroy();
});

test('certificates outlive the agent, and one whose key the next agent cannot open yet stays', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  const all = { ['c1' as CertId]: served(APP, exact, HOST) };
  router.handle.setCerts(certs({ certs: all }));
  await eventually(async () => (await namesShown(httpPort, HOST)) === `DNS:${HOST}`);
  await router.handle[Symbol.asyncDispose]();
  expect((await sendTls(httpPort, HOST)).body).toBe('here');
  const next = await router.reopen();
  next.setCerts(
    certs({ certs: { ['c1' as CertId]: { ...served(APP, exact, HOST), key: null } }, fallback: null }),
  );
  // Without a fallback a stranger's handshake fails: then the new table counts.
  await eventually(async () => {
    try {
      await shown(httpPort, 'nobody.example.net');
      return false;
    } catch {
      return true;
    }
  });
  expect(await namesShown(httpPort, HOST)).toBe(`DNS:${HOST}`);
});

test('a WebSocket speaks through TLS', async () => {
  const sockets = new WebSocketServer({ noServer: true });
  await using dyno = await httpDyno((_request, response) => response.end(), {
    onUpgrade: (incoming, socket, head) =>
      sockets.handleUpgrade(incoming, socket, head, (each) =>
        each.on('message', (data: Buffer) => each.send(`said ${data.toString()}`)),
      ),
  });
  await using router = await startRouter();
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  router.handle.setCerts(certs());
  const { httpPort } = router.handle;
  await eventually(async () => (await namesShown(httpPort, 'blog.localhost')) === 'DNS:blog.localhost');
  const socket = new WebSocket(`wss://127.0.0.1:${httpPort}/`, {
    headers: { host: 'blog.localhost' },
    agent: new Agent({ servername: 'blog.localhost', ca: own.ca }),
  });
  await once(socket, 'open');
  const big = 'x'.repeat(300_000);
  socket.send(big);
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString()).toBe(`said ${big}`);
  socket.close();
  await once(socket, 'close');
});

test('garbage for a handshake closes the connection and harms nobody', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter();
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  router.handle.setCerts(certs());
  await eventually(async () => (await namesShown(httpPort, 'blog.localhost')) === 'DNS:blog.localhost');
  const noise = [
    Buffer.concat([Buffer.from([0x16]), Buffer.alloc(20_000, 0xff)]),
    Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
    Buffer.from('16030100ff', 'hex'),
  ];
  await Promise.all(
    noise.map(async (bytes) => {
      const socket = connectTcp(httpPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.end(bytes);
      socket.resume();
      await closed(socket);
    }),
  );
  // Plain HTTP that is wrong is still answered as such.
  expect(await sendRaw(httpPort, '\x15\x03\x01 nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  expect((await sendTls(httpPort, 'blog.localhost')).body).toBe('here');
});

test('TLS 1.1 and other protocols than HTTP/1.1 are not spoken', async () => {
  await using router = await startRouter();
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([])));
  router.handle.setCerts(certs());
  await eventually(async () => (await namesShown(httpPort, 'blog.localhost')) === 'DNS:blog.localhost');
  const options = { port: httpPort, host: '127.0.0.1', servername: 'blog.localhost', ca: own.ca };
  const old = connect({
    ...options,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT:@SECLEVEL=0',
  });
  await expect(once(old, 'secureConnect')).rejects.toThrow();
  const both = connect({ ...options, ALPNProtocols: ['h2', 'http/1.1'] });
  await once(both, 'secureConnect');
  expect(both.alpnProtocol).toBe('http/1.1');
  both.destroy();
});

test('a hundred slow handshakes hold up no other, and are cut off in the end', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter({ handshakeMs: 8_000 });
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  router.handle.setCerts(certs());
  await eventually(async () => (await namesShown(httpPort, 'blog.localhost')) === 'DNS:blog.localhost');
  const slow = await slowHandshakes(httpPort, 100);
  expect((await sendTls(httpPort, 'blog.localhost')).body).toBe('here');
  await Promise.all(slow.map(closed));
  expect((await sendTls(httpPort, 'blog.localhost')).body).toBe('here');
});

test('beyond the bound of handshakes the slowest makes room for whoever comes', async () => {
  await using dyno = await httpDyno((_request, response) => response.end('here'));
  await using router = await startRouter({ handshakesMax: 5, handshakeMs: 240_000 });
  const { httpPort } = router.handle;
  await router.handle.setTable(tableOf(routeApp([target({ port: dyno.port })])));
  router.handle.setCerts(certs());
  await eventually(async () => (await namesShown(httpPort, 'blog.localhost')) === 'DNS:blog.localhost');
  const slow = await slowHandshakes(httpPort, 5);
  for (let i = 0; i < 3; i += 1) expect((await sendTls(httpPort, 'blog.localhost')).body).toBe('here');
  // Each of the three was one too many when it came, and then was done.
  await eventually(() => slow.filter((socket) => socket.closed).length === 1);
  const slower = await slowHandshakes(httpPort, 5);
  await eventually(() => slow.every((socket) => socket.closed));
  expect((await send(httpPort)).body).toBe('here');
  for (const socket of slower) socket.destroy();
});

/** However it came to it: `once` would take a reset for a failure. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** Connections that have begun a handshake and do not go on with it. */
async function slowHandshakes(port: number, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) socket.write(Buffer.from([0x16, 3, 1]));
  return sockets;
}
