import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { APP_NAME_PATTERN } from '../../src/ids.ts';
import type { ProcessType } from '../../src/ids.ts';
import type { Sealed } from '../../src/ledger/values.ts';
import { appResource } from '../../src/platform/app.ts';
import { randomAppName } from '../../src/platform/app-names.ts';
import { buildpackInstallations } from '../../src/platform/buildpack-installation.ts';
import { checkConfigSize, configVars } from '../../src/platform/config-vars.ts';
import { domainResources, mustFindDomain } from '../../src/platform/domain.ts';
import { errorResource, parseErrorResource } from '../../src/platform/error.ts';
import { formationResource, processTypes, quantityUpdate } from '../../src/platform/formation.ts';
import { uuidOf } from '../../src/platform/ids.ts';
import { isoTime } from '../../src/platform/time.ts';
import { PlatformError } from '../../src/errors.ts';
import { app, release, slugOf } from './builders.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('derived ids are UUIDs, equal for equal names only', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(uuidOf('release', a)).toMatch(UUID);
      expect(uuidOf('release', a) === uuidOf('release', b)).toBe(a === b);
    }),
  );
});

test('random names are valid app names', () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.tuple(unit, unit, unit), (random) => {
      expect(randomAppName(random)).toMatch(APP_NAME_PATTERN);
    }),
  );
});

test('times that no calendar holds are clamped', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
  for (const ms of [NaN, Infinity, -1, 1e300]) expect(isoTime(ms)).toMatch(/Z$/);
});

test('an app without a release has null sizes rather than none', () => {
  const urls = { web: 'http://blog.localhost/', git: 'http://x/blog.git' };
  const resource = appResource(app(), urls, { id: 'team-id', name: 'home' });
  expect(resource).toMatchObject({ name: 'blog', slug_size: null, repo_size: null, released_at: null });
  expect(resource.owner.email).toBe('ann@example.com');
});

test('the formation shows declared types and scaled ones, also those called like object members', () => {
  const blog = app([release(1, { slug: slugOf({ web: 'node web.js', constructor: 'node c.js' }) })], {
    formation: new Map([
      ['worker' as ProcessType, { type: 'worker' as ProcessType, quantity: 2, size: 'Basic', updatedAt: 0 }],
    ]),
  });
  expect(processTypes(blog)).toEqual(['constructor', 'web', 'worker']);
  expect(formationResource(blog, 'toString' as ProcessType).command).toBe('');
  expect(formationResource(blog, 'worker' as ProcessType)).toMatchObject({ quantity: 2, size: 'Basic' });
});

test('a quantity with a sign is relative', () => {
  expect(quantityUpdate(3)).toEqual({ quantity: 3 });
  expect(quantityUpdate('3')).toEqual({ quantity: 3 });
  expect(quantityUpdate('+1')).toEqual({ by: 1 });
  expect(quantityUpdate('-2')).toEqual({ by: -2 });
  expect(quantityUpdate(undefined)).toEqual({});
});

test('config vars are shown by key, without those that were unset', () => {
  const by = release(1).id;
  const sealed = (text: string): Sealed => Buffer.from(text);
  const snapshot = release(2, {
    config: new Map([
      ['B', { value: sealed('2'), by }],
      ['GONE', { value: null, by }],
      ['A', { value: sealed('1'), by }],
    ]),
  });
  const vars = configVars(snapshot, (_key, value) => Buffer.from(value).toString());
  expect(JSON.stringify(vars)).toBe('{"A":"1","B":"2"}');
});

test('a config that would pass 64 KiB is refused, and one that shrinks it is not', () => {
  const half = 'x'.repeat(40_000);
  expect(() => checkConfigSize({ A: half }, { B: half })).toThrow(/80002 bytes of 65536/);
  expect(() => checkConfigSize({ A: half, B: half }, { A: null })).not.toThrow();
});

test('an app has its own domain and its custom ones, whose cname it is', () => {
  const blog = app([], {
    domains: new Map([
      ['www.example.com', { hostname: 'www.example.com', domain: 'd1', createdAt: 0, cert: null }],
    ]),
  });
  const domains = domainResources(blog, 'http://blog.localhost:8080/');
  expect(domains.map(({ hostname, kind, cname }) => [hostname, kind, cname])).toEqual([
    ['blog.localhost', 'heroku', null],
    ['www.example.com', 'custom', 'blog.localhost'],
  ]);
  expect(mustFindDomain(domains, 'WWW.example.com').id).toBe('d1');
});

test('buildpacks of the registry are named without the prefix of their URN', () => {
  expect(buildpackInstallations(['urn:buildpack:heroku/ruby'])).toEqual([
    { ordinal: 0, buildpack: { url: 'urn:buildpack:heroku/ruby', name: 'heroku/ruby' } },
  ]);
});

test('an error survives its way to a client', () => {
  const error = new PlatformError('not_found', 'Not there.', { resource: 'app', hint: 'Look' });
  expect(parseErrorResource(404, errorResource(error))).toEqual(error);
  expect(parseErrorResource(502, '<html>').code).toBe('internal');
});
