import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { at, startApi } from './harness.ts';
import { SLUG } from './slug.ts';

const NEWEST = { range: 'version ..; order=desc,max=1' };

test('setting config vars makes a release, the newest of which is read first', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const set = await api.call('PATCH', '/apps/blog/config-vars', { A: '1', B: '' });
  expect([set.status, set.body]).toEqual([200, { A: '1', B: '' }]);
  const newest = await api.call('GET', '/apps/blog/releases', undefined, NEWEST);
  expect(newest.status).toBe(206);
  expect(newest.body).toMatchObject([
    {
      version: 4,
      label: 'v4',
      description: 'Set A, B config vars',
      current: true,
      user: { email: 'ann@example.com' },
    },
  ]);
  expect((await api.call('PATCH', '/apps/blog/config-vars', { B: null })).body).toEqual({ A: '1' });
  expect((await api.call('GET', '/apps/blog/config-vars')).body).toEqual({ A: '1' });
  expect((await api.call('GET', '/apps/blog/releases/4/config-vars')).body).toEqual({ A: '1', B: '' });
});

test('a patch of many config vars is one release', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const patch = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`SOME_RATHER_LONG_NAME_${i}`, `${i}`]),
  );
  expect((await api.call('PATCH', '/apps/blog/config-vars', patch)).body).toEqual(patch);
  expect(at((await api.call('GET', '/apps/blog/releases', undefined, NEWEST)).body, 0, 'version')).toBe('4');
});

test('a repeated patch with one Request-Id is one release', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const headers = { 'request-id': randomUUID() };
  await api.call('PATCH', '/apps/blog/config-vars', { A: '1' }, headers);
  await api.call('PATCH', '/apps/blog/config-vars', { A: '2' });
  expect((await api.call('PATCH', '/apps/blog/config-vars', { A: '1' }, headers)).body).toEqual({ A: '2' });
  expect(at((await api.call('GET', '/apps/blog/releases', undefined, NEWEST)).body, 0, 'version')).toBe('5');
});

test('a release is named by number, v-number, label and id', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const { body } = await api.call('GET', '/apps/blog/releases/3');
  expect(body).toMatchObject({ version: 3, description: 'Deploy 0b0e75c1', eligible_for_rollback: true });
  for (const name of ['v3', at(body, 'id'), 'current']) {
    expect((await api.call('GET', `/apps/blog/releases/${name}`)).body).toEqual(body);
  }
  expect((await api.call('GET', '/apps/blog/releases/v9')).body).toMatchObject({ resource: 'release' });
});

test('a rollback is a new release with the slug and the config of the old one', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  await api.call('PATCH', '/apps/blog/config-vars', { A: '1' });
  const { body: v3 } = await api.call('GET', '/apps/blog/releases/3');
  const headers = { 'request-id': randomUUID() };
  const body = { release: at(v3, 'id') };
  const back = await api.call('POST', '/apps/blog/releases', body, headers);
  expect(back.status).toBe(201);
  expect(back.body).toMatchObject({ version: 5, description: 'Rollback to v3', output_stream_url: null });
  expect((await api.call('GET', '/apps/blog/config-vars')).body).toEqual({});
  expect((await api.call('POST', '/apps/blog/releases', body, headers)).body).toEqual(back.body);
  expect((await api.call('POST', '/apps/blog/releases', { release: 'v1' })).status).toBe(422);
});

test('a slug of the app is released again', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const { body: v3 } = await api.call('GET', '/apps/blog/releases/3');
  const retry = { slug: at(v3, 'slug', 'id'), description: 'Retry of v3: Deploy 0b0e75c1' };
  const made = await api.call('POST', '/apps/blog/releases', retry);
  expect(made.body).toMatchObject({ version: 4, description: retry.description, slug: { id: retry.slug } });
  expect((await api.call('POST', '/apps/blog/releases', {})).status).toBe(422);
  expect((await api.call('POST', '/apps/blog/releases', { slug: 'none' })).body).toMatchObject({
    resource: 'slug',
  });
});

test('config that would pass 64 KiB is refused and leaves no release', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  expect((await api.call('PATCH', '/apps/blog/config-vars', { A: 'x'.repeat(70_000) })).status).toBe(422);
  expect(at((await api.call('GET', '/apps/blog/releases', undefined, NEWEST)).body, 0, 'version')).toBe('3');
});

test('a release with a release command is pending until it is settled; its output needs the URL alone', async () => {
  await using api = await startApi();
  const app = await api.deployedApp('blog');
  const by = { user: 'ann@example.com', request: null };
  const slug = { ...SLUG, processTypes: { web: 'node .', release: 'migrate' } };
  api.host.write({ type: 'release.deploy', app, slug, description: 'Deploy two' }, by);
  const { body: v4 } = await api.call('GET', '/apps/blog/releases/4');
  expect(v4).toMatchObject({ status: 'pending', current: false, eligible_for_rollback: false });
  const url = at(v4, 'output_stream_url').replace(api.url, '');
  const anonymous = { authorization: '' };
  expect((await api.call('GET', url, undefined, anonymous)).status).toBe(404);
  expect((await api.call('POST', '/apps/blog/releases', { release: 'v4' })).status).toBe(422);
  // What is set is told at once, though no dyno has it before the releases succeed.
  expect((await api.call('PATCH', '/apps/blog/config-vars', { A: '1' })).body).toEqual({ A: '1' });
  const release = [...(api.host.view().apps.get(app)?.releases.values() ?? [])].find(
    ({ number }) => number === 4,
  );
  if (release === undefined) throw new Error('No v4');
  const settle = { type: 'release.settle', app, release: release.id, slug: slug.id } as const;
  api.host.write({ ...settle, status: 'failed', output: null, reason: 'it exited with status 1' }, by);
  const { body: after } = await api.call('GET', '/apps/blog/releases/4');
  expect(after).toMatchObject({ status: 'failed', current: false });
  expect((await api.call('GET', '/apps/blog/releases/5')).body).toMatchObject({
    status: 'succeeded',
    current: true,
  });
  expect((await api.call('GET', url, undefined, anonymous)).body).toBe('migrated\n');
  expect((await api.call('GET', url.replace(/.$/, '!'), undefined, anonymous)).status).toBe(404);
});
