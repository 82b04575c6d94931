import { expect, test } from 'vitest';
import type { AppId } from '../../src/ids.ts';
import { certificateFor } from '../helpers/certificates.ts';
import { at, startApi } from './harness.ts';

const NAME = /^[a-z][a-z0-9-]{2,29}$/;
const { cert, key } = await certificateFor('www.example.com');
const PAIR = { certificate_chain: cert, private_key: key };

test('a certificate is added, shown as Heroku shows it, renewed under its name and removed', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const added = await api.call('POST', '/apps/blog/sni-endpoints', PAIR);
  expect(added.status).toBe(201);
  expect(added.body).toMatchObject({
    name: expect.stringMatching(NAME),
    display_name: null,
    app: { name: 'blog' },
    domains: [],
    certificate_chain: expect.stringContaining('BEGIN CERTIFICATE'),
    ssl_cert: {
      cert_domains: ['localhost', 'www.example.com'],
      issuer: expect.stringMatching(/^\/CN=/),
      subject: '/CN=Kith peer',
      'ca_signed?': false,
      'self_signed?': false,
      acm: false,
    },
  });
  const name = at(added.body, 'name');
  const path = `/apps/blog/sni-endpoints/${name}`;
  expect((await api.call('GET', path)).body).toEqual(added.body);
  expect((await api.call('GET', `/apps/blog/sni-endpoints/${at(added.body, 'id')}`)).body).toEqual(
    added.body,
  );
  expect((await api.call('GET', '/apps/blog/sni-endpoints')).body).toEqual([added.body]);
  const next = await certificateFor('www.example.com', '*.example.com');
  const renewed = await api.call('PATCH', path, {
    certificate_chain: next.cert,
    private_key: next.key,
    display_name: 'Summer',
  });
  expect(renewed.body).toMatchObject({
    id: at(added.body, 'id'),
    name,
    display_name: 'Summer',
    ssl_cert: { cert_domains: ['localhost', 'www.example.com', '*.example.com'] },
  });
  expect((await api.call('PATCH', path, { display_name: null })).body).toMatchObject({
    display_name: null,
    ssl_cert: { id: at(renewed.body, 'ssl_cert', 'id') },
  });
  expect((await api.call('DELETE', path)).status).toBe(200);
  expect((await api.call('GET', path)).status).toBe(404);
  expect((await api.call('GET', '/apps/blog/sni-endpoints')).body).toEqual([]);
});

test('a domain is given a certificate when it is added or later, and by its id or name', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const { body } = await api.call('POST', '/apps/blog/sni-endpoints', PAIR);
  const [id, name] = [at(body, 'id'), at(body, 'name')];
  const first = await api.call('POST', '/apps/blog/domains', {
    hostname: 'www.example.com',
    sni_endpoint: name,
  });
  expect(first.body).toMatchObject({ cname: 'blog.localhost', sni_endpoint: { id, name } });
  const wild = await api.call('POST', '/apps/blog/domains', {
    hostname: '*.example.com',
    sni_endpoint: null,
  });
  expect(wild.body).toMatchObject({ hostname: '*.example.com', sni_endpoint: null });
  const at2 = `/apps/blog/domains/${encodeURIComponent('*.example.com')}`;
  expect((await api.call('PATCH', at2, { sni_endpoint: id })).body).toMatchObject({
    sni_endpoint: { id, name },
  });
  const endpoint = (await api.call('GET', `/apps/blog/sni-endpoints/${name}`)).body;
  expect(endpoint).toMatchObject({ domains: [at(first.body, 'id'), at(wild.body, 'id')] });
  expect((await api.call('PATCH', at2, { sni_endpoint: null })).body).toMatchObject({ sni_endpoint: null });
  for (const [path, patch, status] of [
    [at2, { sni_endpoint: 'otter-1' }, 404],
    [at2, {}, 422],
    [at2, { sni_endpoint: 7 }, 422],
    ['/apps/blog/domains/nobody.example.com', { sni_endpoint: null }, 404],
    ['/apps/blog/domains/blog.localhost', { sni_endpoint: name }, 422],
  ] as const)
    expect((await api.call('PATCH', path, patch)).status, JSON.stringify(patch)).toBe(status);
  await api.call('DELETE', `/apps/blog/sni-endpoints/${name}`);
  expect((await api.call('GET', '/apps/blog/domains/www.example.com')).body).toMatchObject({
    sni_endpoint: null,
  });
});

test("another app's certificate is not there for this one", async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  await api.deployedApp('shop');
  const { body } = await api.call('POST', '/apps/shop/sni-endpoints', PAIR);
  const id = at(body, 'id');
  expect((await api.call('GET', `/apps/blog/sni-endpoints/${id}`)).status).toBe(404);
  expect(
    (await api.call('POST', '/apps/blog/domains', { hostname: 'a.example.com', sni_endpoint: id })).status,
  ).toBe(404);
  expect((await api.call('GET', '/apps/blog/domains/a.example.com')).status).toBe(404);
});

test.for([
  [{ ...PAIR, private_key: 'none' }, /found no PEM private key/],
  [{ ...PAIR, certificate_chain: 'none' }, /found no PEM certificate/],
  [{ certificate_chain: cert }, /private_key/],
  [{ ...PAIR, private_key: 7 }, /private_key/],
  [{ ...PAIR, certificate_chain: 'x'.repeat(60_001) }, /certificate_chain/],
] as const)('what is no certificate with its key is refused in words: %#', async ([body, message]) => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const answer = await api.call('POST', '/apps/blog/sni-endpoints', body);
  expect(answer).toMatchObject({
    status: 422,
    body: { id: 'invalid_params', message: expect.stringMatching(message) },
  });
  expect((await api.call('PATCH', '/apps/blog/sni-endpoints/otter-1', PAIR)).status).toBe(404);
});

test('the private key is in no answer and no op, and opens for the app alone', async () => {
  await using api = await startApi();
  const app: AppId = await api.deployedApp('blog');
  const answer = await api.call('POST', '/apps/blog/sni-endpoints', PAIR);
  expect(JSON.stringify(answer.body)).not.toContain('PRIVATE KEY');
  const [stored] = [...(api.host.view().apps.get(app)?.certs.values() ?? [])];
  if (stored === undefined) throw new Error('no certificate');
  expect(api.host.open(app, `certificate:${stored.id}`, stored.key)).toContain('BEGIN PRIVATE KEY');
  expect(api.logged.join('')).not.toContain('PRIVATE KEY');
});

test('a repeated request adds one certificate', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const headers = { 'request-id': 'b4a6f3f0-1111-4222-8333-444455556666' };
  const first = await api.call('POST', '/apps/blog/sni-endpoints', PAIR, headers);
  const again = await api.call('POST', '/apps/blog/sni-endpoints', PAIR, headers);
  expect(at(again.body, 'id')).toBe(at(first.body, 'id'));
  expect((await api.call('GET', '/apps/blog/sni-endpoints')).body).toHaveLength(1);
});
