import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { randomUUID, X509Certificate } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createClusterCa, issueLeaf } from '../../agent/api/ca.ts';
import { at, startApi } from './harness.ts';

test('one port speaks HTTP and TLS, with a certificate of the cluster for loopback and its own names', async () => {
  const ca = await createClusterCa();
  const leaf = await issueLeaf(ca, ['IP:192.168.7.7', 'attic.example.com']);
  await using api = await startApi({ tls: () => ({ key: leaf.keyPem, cert: leaf.certPem }) });
  const certificate = new X509Certificate(leaf.certPem);
  expect(certificate.verify(new X509Certificate(ca.certPem).publicKey)).toBe(true);
  for (const name of ['localhost', 'attic.example.com']) expect(certificate.checkHost(name)).toBe(name);
  for (const ip of ['127.0.0.1', '192.168.7.7']) expect(certificate.checkIP(ip)).toBe(ip);

  for (const host of ['127.0.0.1', 'localhost']) {
    const attempt = httpsRequest({
      host,
      lookup: (_name, options, done) =>
        options.all === true ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
      port: api.port,
      ca: ca.certPem,
      path: '/apps',
      method: 'POST',
      headers: { authorization: `Bearer ${api.token}` },
    });
    attempt.end(JSON.stringify({ name: `by-${host === 'localhost' ? 'name' : 'address'}` }));
    const [response] = await once(attempt, 'response');
    const body: unknown = JSON.parse(await text(response));
    expect(at(body, 'git_url')).toMatch(new RegExp(`^https://${host}:${api.port}/by-`));
  }
  expect((await api.call('GET', '/apps')).body).toHaveLength(2);
});

test('without a certificate TLS is refused and HTTP served', async () => {
  await using api = await startApi();
  const attempt = httpsRequest({ host: '127.0.0.1', port: api.port, path: '/health' });
  attempt.end();
  const [error] = await once(attempt, 'error');
  expect(error).toBeInstanceOf(Error);
  expect((await api.call('GET', '/health')).status).toBe(200);
});

/** Sends bytes as they are, and reads until the server closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

test('what is no HTTP is answered with 400, and the server lives on', async () => {
  await using api = await startApi();
  expect(await raw(api.port, 'hello world\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(api.port, '\0\0\0\0')).toMatch(/^HTTP\/1\.1 400 /);
  expect(await raw(api.port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`)).toMatch(
    / 431 /,
  );
  expect(await raw(api.port, 'GET /%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/ 400 /);
  expect((await api.call('GET', '/health')).status).toBe(200);
});

test('a pipelined and a kept-alive connection serve several requests', async () => {
  await using api = await startApi();
  const get = 'GET /health HTTP/1.1\r\nHost: x\r\n';
  const answers = await raw(api.port, `${get}\r\n${get}\r\n${get}Connection: close\r\n\r\n`);
  expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
});

test('other upgrades are served as plain HTTP', async () => {
  await using api = await startApi();
  const h2c = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n';
  const socket = connect(api.port, '127.0.0.1');
  socket.write(h2c);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
  socket.destroy();
});

test('a body past 1 MiB is refused, told before the connection goes', async () => {
  await using api = await startApi();
  const { status, body } = await api.call('POST', '/apps', `{"name":"${'x'.repeat(1_100_000)}"}`);
  expect([status, at(body, 'id')]).toEqual([413, 'too_large']);
});

test('a body that is no JSON is a 400, one of the wrong shape a 422 that names the field', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  for (const body of ['{', 'nonsense', '{"a":}', '['.repeat(200_000)]) {
    expect((await api.call('POST', '/apps', body)).status).toBe(400);
  }
  const wrong = await api.call('PATCH', '/apps/blog', { maintenance: 'on' });
  expect([wrong.status, at(wrong.body, 'id')]).toEqual([422, 'invalid_params']);
  expect(at(wrong.body, 'message')).toContain('"maintenance"');
});

test('versions of the API other than 3 are not to be had, suffixes of 3 are', async () => {
  await using api = await startApi();
  const status = async (version: string) => {
    const accept = `application/vnd.heroku+json; version=${version}`;
    return (await api.call('GET', '/account', undefined, { accept })).status;
  };
  expect([await status('3'), await status('3.sdk'), await status('2'), await status('30')]).toEqual([
    200, 200, 406, 406,
  ]);
});

test('a method may be given in a header', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const headers = { 'x-http-method-override': 'PATCH' };
  expect((await api.call('POST', '/apps/blog', { maintenance: true }, headers)).body).toMatchObject({
    maintenance: true,
  });
});

test('every response has a Request-Id: the first of the request, or a fresh one', async () => {
  await using api = await startApi();
  const id = async (given: string) =>
    (await api.call('GET', '/account', undefined, { 'request-id': given })).headers.get('request-id');
  expect(await id('abcdefgh-1,other-id-2')).toBe('abcdefgh-1');
  expect(await id('no!')).toMatch(/^[0-9a-f-]{36}$/);
});

test('an error of ours is a 500 that tells nothing of it, and the log has the cause', async () => {
  await using api = await startApi({
    webUrl: () => {
      throw new TypeError('secret detail');
    },
  });
  const { status, body } = await api.call('POST', '/apps', { name: 'blog' });
  expect([status, at(body, 'id')]).toEqual([500, 'internal_server_error']);
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(api.logged.join('')).toContain('secret detail');
});

test('a second server does not get a port that is taken, and says so', async () => {
  await using api = await startApi();
  await expect(startApi({ listen: { host: '127.0.0.1', port: api.port } })).rejects.toThrow(
    `Cannot listen on "127.0.0.1:${api.port}"`,
  );
});

test('clients that leave in the middle of anything are survived', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const { body } = await api.call('POST', '/apps/blog/log-sessions', { tail: true });
  const auth = `Host: x\r\nAuthorization: Bearer ${api.token}\r\n`;
  const starts = [
    'GET /hea',
    `GET ${new URL(at(body, 'logplex_url')).pathname} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `POST /apps HTTP/1.1\r\n${auth}Content-Length: 100\r\n\r\n{"name"`,
    `GET /apps HTTP/1.1\r\n${auth}\r\n`,
    '\x16\x03\x01',
  ];
  for (const start of [...starts, ...starts]) {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(start);
    await new Promise((resolve) => setImmediate(resolve));
    socket.resetAndDestroy();
  }
  expect((await api.call('GET', '/health')).status).toBe(200);
});

test('a certificate that cannot be used refuses TLS, and HTTP is served', async () => {
  await using api = await startApi({ tls: () => ({ key: 'no key', cert: 'no certificate' }) });
  expect(await raw(api.port, '\x16\x03\x01').catch(() => '')).toBe('');
  expect((await api.call('GET', '/health')).status).toBe(200);
});

test('an answer that the client has already is not sent again', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const first = await api.call('GET', '/apps/blog');
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^"[\w-]{32}"$/);
  expect(first.headers.get('last-modified')).toMatch(/GMT$/);
  const again = await api.call('GET', '/apps/blog', undefined, { 'if-none-match': `"other", W/${etag}` });
  expect([again.status, again.body]).toEqual([304, '']);
  await api.call('PATCH', '/apps/blog', { maintenance: true });
  const changed = await api.call('GET', '/apps/blog', undefined, { 'if-none-match': etag });
  expect([changed.status, changed.headers.get('etag') === etag]).toEqual([200, false]);
});

test('a write that another has overtaken is refused when the client asks for that', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const etag = (await api.call('GET', '/apps/blog')).headers.get('etag') ?? '';
  const rename = (to: string, tag: string) =>
    api.call('PATCH', '/apps/blog', { maintenance: to === 'on' }, { 'if-match': tag });
  expect((await rename('on', etag)).status).toBe(200);
  const late = await rename('off', etag);
  expect([late.status, at(late.body, 'id')]).toEqual([412, 'precondition_failed']);
  expect((await rename('off', '*')).status).toBe(200);
  const upload = await api.call('PUT', '/sources/none', 'x', { 'if-match': '*' });
  expect(upload.status).toBe(412);
});

test('requests that share an id, as the official CLI sends them at once, are told apart by what they ask', async () => {
  await using api = await startApi();
  await api.call('POST', '/apps', { name: 'blog' });
  const headers = { 'request-id': randomUUID() };
  const hosts = ['one.example.com', 'two.example.com'];
  const made = await Promise.all(
    hosts.map((hostname) =>
      api.call('POST', '/apps/blog/domains', { hostname, sni_endpoint: null }, headers),
    ),
  );
  expect(made.map(({ body }) => at(body, 'hostname'))).toEqual(hosts);
});
