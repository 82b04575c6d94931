import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import { WORDS, arbitraryBody } from './arbitrary-body.ts';
import { startApi } from './harness.ts';

const header = fc.constantFrom(
  '',
  'version ..; order=desc',
  'id ]a..b[; max=0',
  'bytes=0-1',
  'name ..~~~; max=1',
);
const part = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 10 }));

/** Without the app and the token that the test itself needs. */
const ENDPOINTS = ALL_ROUTES.map(({ endpoint }) => endpoint).filter(
  ({ method, path }) =>
    path !== '/apps/:app' && !(method !== 'GET' && /tokens|authorizations|sessions|members/.test(path)),
);

const anyRequest = fc
  .constantFrom(...ENDPOINTS)
  .chain((endpoint) =>
    fc.tuple(
      fc.constant(endpoint),
      fc.array(part, { minLength: 3, maxLength: 3 }),
      arbitraryBody(endpoint),
      header,
    ),
  );

// Some of it waits: for a volume 5 s, for an add-on 25 s.
test('no body, path part or range makes a 500', { timeout: 300_000 }, async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  api.host.announce();
  await fc.assert(
    fc.asyncProperty(anyRequest, async ([{ method, path }, words, body, range]) => {
      let next = 0;
      const filled = path.replace(/:(\w+)/g, (_, name: string) =>
        name === 'app' ? 'blog' : encodeURIComponent((words[next++] || 'x').toWellFormed()),
      );
      const answer = await api.call(method, filled, method === 'GET' ? undefined : body, { range });
      expect([method, filled, answer.status]).not.toEqual([method, filled, 500]);
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 1_500 },
  );
  expect(api.logged.filter((line) => line.includes('request failed'))).toEqual([]);
});
