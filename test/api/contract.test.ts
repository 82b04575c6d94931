import { expect, test } from 'vitest';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import type { Endpoint } from '../../src/platform/endpoint.ts';
import { at, startApi } from './harness.ts';

/** What holds for every endpoint, whatever it does. */
const ENDPOINTS = ALL_ROUTES.map(({ endpoint }) => endpoint);
const WITH_BODY = ENDPOINTS.filter(({ body }) => body !== null);
const OF_APPS = ENDPOINTS.filter(({ path, needs }) => path.includes('/:app') && needs !== 'nothing');
const IDS: ReadonlySet<string> = new Set(Object.values(ERROR_CODES).map(({ id }) => id));

/** The endpoint's path, about the app `app` and things that there are none of. */
function pathFor({ path }: Endpoint, app = 'blog'): string {
  return path.replace(/:(\w+)/g, (_, name: string) => (name === 'app' ? app : 'no-such-thing'));
}

test('every endpoint is declared once', () => {
  const names = ENDPOINTS.map(({ method, path }) => `${method} ${path.replace(/:\w+/g, ':')}`);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('nothing but what is public answers without a token', async () => {
  await using api = await startApi();
  for (const endpoint of ENDPOINTS.filter(({ needs }) => needs !== 'nothing')) {
    const answer = await api.call(endpoint.method, pathFor(endpoint), undefined, { authorization: '' });
    expect([endpoint.path, answer.status, at(answer.body, 'id')]).toEqual([
      endpoint.path,
      401,
      'unauthorized',
    ]);
  }
});

test('a body that is no JSON, or too large, is refused wherever a body is read', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  for (const endpoint of WITH_BODY) {
    const torn = await api.call(endpoint.method, pathFor(endpoint), '{"name":');
    expect([endpoint.path, torn.status, at(torn.body, 'id')]).toEqual([endpoint.path, 400, 'bad_request']);
    const large = await api.call(endpoint.method, pathFor(endpoint), `"${'x'.repeat(1_100_000)}"`);
    expect([endpoint.path, large.status]).toEqual([endpoint.path, 413]);
  }
});

test('a body of another shape is refused by the name of what is wrong', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  for (const endpoint of WITH_BODY) {
    for (const body of [[], 'text', 7, true]) {
      const answer = await api.call(endpoint.method, pathFor(endpoint), JSON.stringify(body));
      const found = [endpoint.method, endpoint.path, answer.status, at(answer.body, 'id')];
      expect(found).toEqual([endpoint.method, endpoint.path, 422, 'invalid_params']);
      expect(at(answer.body, 'message')).toMatch(/^Invalid parameter/);
    }
  }
});

test('an app that there is none of is a 404 of an app', async () => {
  await using api = await startApi();
  for (const endpoint of OF_APPS.filter(({ body }) => body === null)) {
    const answer = await api.call(endpoint.method, pathFor(endpoint, 'nowhere'));
    expect([endpoint.path, answer.status, answer.body]).toMatchObject([
      endpoint.path,
      404,
      { id: 'not_found', resource: 'app' },
    ]);
  }
});

test('a thing that there is none of is a 404 that names its kind', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  const things = ENDPOINTS.filter(({ path }) => path.replace('/:app', '').includes('/:'));
  for (const endpoint of things.filter(({ body, method }) => body === null && method !== 'PUT')) {
    const answer = await api.call(endpoint.method, pathFor(endpoint));
    const found = [endpoint.method, endpoint.path, answer.status];
    // `/users/:user/apps` and the like are lists of nothing; providers show who they are in ways of their own.
    if (answer.status === 200 || (endpoint.needs === 'nothing' && answer.status === 401)) continue;
    expect(found).toEqual([endpoint.method, endpoint.path, 404]);
    expect(at(answer.body, 'resource')).toMatch(/^[a-z_]+( attachment)?$/);
  }
});

test('every refusal has a documented id, a message and no stack', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  for (const endpoint of ENDPOINTS) {
    const answer = await api.call(
      endpoint.method,
      pathFor(endpoint),
      endpoint.body === null ? undefined : {},
    );
    if (answer.status < 400) continue;
    expect(IDS).toContain(at(answer.body, 'id'));
    expect(at(answer.body, 'message')).not.toMatch(/\n|\bat .*:\d+:\d+|undefined|\[object/);
  }
});

test('what the API says of itself names every endpoint, and what each may be sent', async () => {
  await using api = await startApi();
  const openApi = (await api.call('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, { operationId: string; requestBody?: unknown }>>;
  };
  const operations = ENDPOINTS.map(
    ({ method, path }) => openApi.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()],
  );
  expect(operations.filter((each) => each === undefined)).toEqual([]);
  expect(new Set(operations.map((each) => each?.operationId)).size).toBe(ENDPOINTS.length);
  expect(operations.filter((each) => each?.requestBody !== undefined)).toHaveLength(WITH_BODY.length);
  const hyper = (await api.call('GET', '/schema')).body as {
    definitions: Record<string, { links: unknown[] }>;
  };
  expect(Object.values(hyper.definitions).flatMap(({ links }) => links)).toHaveLength(ENDPOINTS.length);
});

test('what is not offered says so, and what to do instead', async () => {
  await using api = await startApi();
  for (const [method, path, what] of [
    ['POST', '/apps/blog/webhooks', 'webhooks'],
    ['GET', '/spaces', 'private spaces'],
    ['POST', '/account/keys', 'SSH keys'],
    ['GET', '/enterprise-accounts', 'enterprise accounts'],
  ] as const) {
    const { status, body } = await api.call(method, path, method === 'POST' ? {} : undefined);
    expect([status, at(body, 'message')]).toEqual([404, `Kith does not offer ${what}`]);
    expect(at(body, 'hint')).not.toBe('');
  }
});
