import { expect, test } from 'vitest';
import type { CertId } from '../../src/ids.ts';
import { mustBeGood } from '../../agent/lib/check-certificate.ts';
import { certificateFor } from '../helpers/certificates.ts';
import type { DomainResource } from '../../src/platform/domain.ts';
import { startApi } from './harness.ts';

const WWW = 'www.example.com';
const ACCOUNT = { email: 'ops@example.com', terms_agreed: true };
const CONTEXT = { user: 'kith', request: null };

type Api = Awaited<ReturnType<typeof startApi>>;

/** An app with a domain, in a cluster that may order certificates. */
async function orderingApp(api: Api): Promise<void> {
  await api.deployedApp('blog');
  await api.call('POST', '/apps/blog/domains', { hostname: WWW });
  await api.call('PUT', '/kith/acme', ACCOUNT);
}

const standing = async (api: Api) => {
  const { body } = await api.call('GET', `/apps/blog/domains/${WWW}`);
  const { acm_status: status, acm_status_reason: reason } = body as DomainResource;
  return [status, reason];
};

test('an admin says once where certificates are ordered; the key of the account is in no answer', async () => {
  await using api = await startApi();
  expect((await api.call('GET', '/kith/acme')).body).toMatchObject({ directory_url: null, email: null });
  const { cert } = await certificateFor('acme.example.com');
  const body = { ...ACCOUNT, directory_url: 'https://acme.example.com/dir', ca: cert };
  const set = await api.call('PUT', '/kith/acme', body);
  expect(set.body).toEqual({
    directory_url: 'https://acme.example.com/dir',
    email: 'ops@example.com',
    ca: cert,
    updated_at: expect.stringMatching(/Z$/),
  });
  expect((await api.call('GET', '/kith/acme')).body).toEqual(set.body);
  const key = api.host.view().acme?.key;
  await api.call('PUT', '/kith/acme', { ...body, email: null });
  expect(api.host.view().acme).toMatchObject({ key, email: null });
  await api.call('PUT', '/kith/acme', ACCOUNT);
  expect(api.host.view().acme?.directory).toContain('letsencrypt');
  expect(api.host.view().acme?.key).not.toEqual(key);
});

test.for([
  [{ email: 'ops@example.com' }, 'terms'],
  [{ ...ACCOUNT, terms_agreed: false }, 'terms'],
  [{ ...ACCOUNT, email: 'nobody' }, 'e-mail'],
  [{ ...ACCOUNT, directory_url: 'http://acme.example.com/dir' }, 'https'],
  [{ ...ACCOUNT, ca: 'a key' }, 'PEM certificate'],
] as const)('%j is refused: %s', async ([body, word]) => {
  await using api = await startApi();
  expect(await api.call('PUT', '/kith/acme', body)).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining(word) },
  });
  expect(api.host.view().acme).toBeNull();
});

test('without an account, enabling says who makes one; and there is nothing to refresh', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  expect(await api.call('POST', '/apps/blog/acm', {})).toMatchObject({
    status: 422,
    body: { hint: expect.stringContaining('kith acme:set') },
  });
  expect((await api.call('PATCH', '/apps/blog/acm', { acm_refresh: true })).status).toBe(422);
  expect((await api.call('DELETE', '/apps/blog/acm')).body).toMatchObject({ acm: false });
});

test('enabled, an app and its domains tell how it goes, and disabled, they tell nothing', async () => {
  await using api = await startApi();
  await orderingApp(api);
  expect(await standing(api)).toEqual([null, null]);
  expect(await api.call('POST', '/apps/blog/acm', {})).toMatchObject({ status: 200, body: { acm: true } });
  expect((await api.call('GET', '/apps/blog')).body).toMatchObject({ acm: true });
  expect(await standing(api)).toEqual(['pending', null]);
  const app = [...api.host.view().apps.values()][0];
  const domain = app?.domains.get(WWW)?.domain;
  if (app === undefined || domain === undefined) throw new Error('no app');
  const of = { app: app.id, domain };
  const failure = { reason: 'no such name', status: 'failing', notBefore: null } as const;
  api.host.write({ type: 'acm.fail', ...of, failure, over: [] }, CONTEXT);
  expect(await standing(api)).toEqual(['failing', 'no such name']);
  const asked = api.host.view().apps.get(app.id)?.acm.ask;
  expect((await api.call('PATCH', '/apps/blog/acm', { acm_refresh: true })).status).toBe(200);
  expect(api.host.view().apps.get(app.id)?.acm.ask).not.toBe(asked);
  expect(await standing(api)).toEqual(['pending', null]);
  const pair = await certificateFor(WWW);
  const { chainPem, facts } = mustBeGood(pair.cert, pair.key);
  const cert = '00000000-0000-4000-8000-000000000002' as CertId;
  const key = api.host.seal(app.id, 'key', pair.key);
  const issued = { cert, name: 'otter-2', chain: chainPem, key, facts, over: [] };
  api.host.write({ type: 'acm.issue', ...of, ...issued }, CONTEXT);
  expect(await standing(api)).toEqual(['cert issued', null]);
  expect((await api.call('GET', '/apps/blog/sni-endpoints/otter-2')).body).toMatchObject({
    ssl_cert: { acm: true },
  });
  expect(await api.call('DELETE', '/apps/blog/sni-endpoints/otter-2')).toMatchObject({
    status: 422,
    body: { hint: expect.stringContaining('certs:auto:disable') },
  });
  expect((await api.call('DELETE', '/apps/blog/acm')).body).toMatchObject({ acm: false });
  expect((await api.call('GET', '/apps/blog/sni-endpoints')).body).toEqual([]);
  expect(await standing(api)).toEqual([null, null]);
});
