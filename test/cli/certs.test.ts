import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SniEndpointResource } from '../../src/platform/sni-endpoint.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { appOf, domainOf } from './resources.ts';
import { runKith, type Ran } from './run-kith.ts';
import { StubApi } from './stub-api.ts';

const AT = '/apps/blog/sni-endpoints';

function certOf(patch: Partial<SniEndpointResource> = {}): SniEndpointResource {
  return {
    id: 'cert-id',
    name: 'otter-48213',
    display_name: null,
    app: { id: 'app-id', name: 'blog' },
    certificate_chain: 'PEM',
    domains: [],
    ssl_cert: {
      id: 'ssl-id',
      cert_domains: ['*.example.com'],
      starts_at: '2026-01-01T00:00:00Z',
      expires_at: '2027-01-01T00:00:00Z',
      issuer: '/CN=Some CA',
      subject: '/CN=example.com',
      'ca_signed?': true,
      'self_signed?': false,
      acm: false,
    },
    created_at: '2026-01-02T03:04:05Z',
    updated_at: '2026-01-02T03:04:05Z',
    ...patch,
  };
}

function kith(stub: StubApi, line: string): Promise<Ran> {
  const env = { KITH_HOST: stub.host, KITH_TOKEN: 'secret', KITH_APP: 'blog' };
  return runKith(line.split(' '), { env });
}

test('certs lists them, and says that there are none', async () => {
  await using stub = await StubApi.start();
  stub.on(`GET ${AT}`, [certOf({ domains: ['d1', 'd2'] })]);
  expect((await kith(stub, 'certs')).stdout).toBe(
    'NAME         HOST NAMES     EXPIRES     TRUSTED BY                   DOMAINS\n' +
      '───────────  ─────────────  ──────────  ───────────────────────────  ───────\n' +
      'otter-48213  *.example.com  2027-01-01  browsers know its authority  2\n',
  );
  stub.on(`GET ${AT}`, []);
  expect((await kith(stub, 'certs')).stdout).toBe('No certificates on ⬢ blog\n');
});

test('certs:add sends what is in the two files, and says which domains it serves', async () => {
  await using stub = await StubApi.start();
  await using dir = await tempDir('kith-certs-');
  const [crt, key] = [join(dir.path, 'a.crt'), join(dir.path, 'a.key')];
  writeFileSync(crt, 'the chain');
  writeFileSync(key, 'the key');
  stub
    .on(`POST ${AT}`, certOf())
    .on('GET /apps/blog/domains', [domainOf(), domainOf({ hostname: 'example.org' })]);
  const ran = await kith(stub, `certs:add ${crt} ${key}`);
  expect(stub.sent(`POST ${AT}`).body).toEqual({ certificate_chain: 'the chain', private_key: 'the key' });
  expect(ran.stdout).toMatch(/Serves: +www\.example\.com\n/);
  expect(ran.stdout).not.toContain('the key');
  const missing = await kith(stub, `certs:add ${crt} ${crt}.not-there`);
  expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('there is no such file') });
});

test('certs:info, certs:update and certs:remove take the only certificate, or the one that is named', async () => {
  await using stub = await StubApi.start();
  await using dir = await tempDir('kith-certs-');
  const crt = join(dir.path, 'a.crt');
  writeFileSync(crt, 'PEM');
  stub.on(`GET ${AT}`, [certOf()]).on('GET /apps/blog/domains', []);
  stub.on(`GET ${AT}/other-1`, certOf({ id: 'other', name: 'other-1' }));
  stub.on(`PATCH ${AT}/cert-id`, certOf()).on(`DELETE ${AT}/other`, certOf());
  expect((await kith(stub, 'certs:info')).stdout).toContain('=== otter-48213');
  expect(await kith(stub, `certs:update ${crt} ${crt}`)).toMatchObject({ status: 2 });
  expect((await kith(stub, `certs:update ${crt} ${crt} --confirm blog`)).stderr).toContain('done');
  expect((await kith(stub, 'certs:remove --name other-1 --confirm blog')).stderr).toContain(
    'Removing other-1',
  );
  stub.on(`GET ${AT}`, [certOf(), certOf()]);
  expect((await kith(stub, 'certs:info')).stderr).toContain('Say which with --name');
  stub.on(`GET ${AT}`, []);
  expect((await kith(stub, 'certs:info')).stderr).toContain('blog has no certificate');
});

test('domains:update gives a domain a certificate, or whichever fits', async () => {
  await using stub = await StubApi.start();
  stub.on('PATCH /apps/blog/domains/www.example.com', domainOf());
  await kith(stub, 'domains:update www.example.com --cert otter-48213');
  expect(stub.sent('PATCH /apps/blog/domains/www.example.com').body).toEqual({ sni_endpoint: 'otter-48213' });
  await kith(stub, 'domains:update www.example.com --cert any');
  expect(stub.sent('PATCH /apps/blog/domains/www.example.com').body).toEqual({ sni_endpoint: null });
  expect((await kith(stub, 'domains:update www.example.com')).status).toBe(2);
});

test('domains:info, domains:wait and domains:clear', async () => {
  await using stub = await StubApi.start();
  stub.on(
    'GET /apps/blog/domains/www.example.com',
    domainOf({ sni_endpoint: { id: 'c', name: 'otter-48213' } }),
  );
  expect((await kith(stub, 'domains:info www.example.com')).stdout).toMatch(/Certificate: +otter-48213/);
  expect((await kith(stub, 'domains:wait www.example.com')).stdout).toBe('www.example.com is served\n');
  const own = domainOf({ kind: 'heroku', hostname: 'blog.localhost', cname: null, id: 'own' });
  stub
    .on('GET /apps/blog/domains', [own, domainOf({ id: 'd1' })])
    .on('DELETE /apps/blog/domains/d1', domainOf());
  expect((await kith(stub, 'domains:clear')).stderr).toContain('done');
});

test('certs:auto tells how each domain stands, and waits where it is told to', async () => {
  await using stub = await StubApi.start();
  stub.on('GET /apps/blog', appOf()).on('GET /apps/blog/domains', [domainOf()]);
  expect((await kith(stub, 'certs:auto')).stdout).toContain('are not ordered automatically');
  stub.on('GET /apps/blog', appOf({ acm: true }));
  const away = domainOf({
    hostname: 'example.org',
    acm_status: 'failing',
    acm_status_reason: 'nobody there',
  });
  stub.on('GET /apps/blog/domains', [domainOf({ acm_status: 'cert issued' }), away]);
  const { stdout } = await kith(stub, 'certs:auto --wait');
  expect(stdout).toMatch(/www\.example\.com +Certificate issued/);
  expect(stdout).toMatch(/example\.org +Failing, tried again/);
  expect(stdout).toContain('example.org: nobody there');
});

test('certs:auto:enable, :refresh and :disable ask for it, the last one only when it is confirmed', async () => {
  await using stub = await StubApi.start();
  const acm = '/apps/blog/acm';
  stub.on('GET /apps/blog/domains', [domainOf({ acm_status: 'pending' })]);
  stub
    .on(`POST ${acm}`, appOf({ acm: true }))
    .on(`PATCH ${acm}`, appOf({ acm: true }))
    .on(`DELETE ${acm}`, appOf());
  expect((await kith(stub, 'certs:auto:enable')).stdout).toMatch(/www\.example\.com +Waiting/);
  expect(await kith(stub, 'certs:auto:refresh')).toMatchObject({ status: 0 });
  expect(await kith(stub, 'certs:auto:disable')).toMatchObject({ status: 2 });
  expect(await kith(stub, 'certs:auto:disable --confirm blog')).toMatchObject({ status: 0 });
});

test('acme:set wants the terms agreed to, and sends who vouches for an authority of ones own', async () => {
  await using stub = await StubApi.start();
  await using dir = await tempDir('kith-acme-');
  const ca = join(dir.path, 'ca.pem');
  writeFileSync(ca, 'PEM');
  const acme = {
    directory_url: 'https://ca/dir',
    email: null,
    ca: 'PEM',
    updated_at: '2026-01-02T03:04:05Z',
  };
  stub.on('GET /kith/acme', { ...acme, directory_url: null }).on('PUT /kith/acme', acme);
  expect((await kith(stub, 'acme')).stdout).toContain('kith acme:set EMAIL --agree');
  expect(await kith(stub, 'acme:set ops@example.com')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('letsencrypt'),
  });
  const set = await kith(stub, `acme:set --agree --directory https://ca/dir --ca ${ca}`);
  expect(set.stdout).toContain('a CA of your own');
  expect(stub.sent('PUT /kith/acme').body).toEqual({
    email: null,
    terms_agreed: true,
    directory_url: 'https://ca/dir',
    ca: 'PEM',
  });
  expect((await kith(stub, `acme:set --agree --ca ${ca}.not`)).stderr).toContain('there is no such file');
});
