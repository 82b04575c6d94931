import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL_ROUTES } from '../../agent/api/resources/all-routes.ts';
import { startApi } from './harness.ts';

/** Values of the right names with the wrong shapes find more than noise does. */
const word = fc.constantFrom(
  'web',
  'blog',
  'v3',
  '+1',
  '-1',
  '',
  '0',
  '__proto__',
  'constructor',
  'a\0b',
  '\ud800',
  'é',
);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  word,
  fc.integer(),
  fc.array(
    fc.dictionary(fc.constantFrom('type', 'quantity', 'size', 'buildpack'), fc.oneof(word, fc.integer())),
  ),
  fc.dictionary(fc.constantFrom('url', 'version', 'TERM', '__proto__'), fc.oneof(word, fc.webUrl())),
);
const field = fc.constantFrom(
  ...'name maintenance build_stack release slug description quantity size updates command attach env'.split(
    ' ',
  ),
  ...'force_no_tty source_blob lines tail source dyno hostname draining ttl_seconds token user FOO'.split(
    ' ',
  ),
  '__proto__',
  'constructor',
);
const body = fc.oneof(fc.dictionary(field, value), fc.jsonValue());
const header = fc.constantFrom(
  '',
  'version ..; order=desc',
  'id ]a..b[; max=0',
  'bytes=0-1',
  'name ..~~~; max=1',
);

test('no body, path part or range makes a 500', async () => {
  await using api = await startApi();
  await api.deployedApp('blog');
  api.host.announce();
  const routes = ALL_ROUTES.map(({ endpoint }) => endpoint).filter(
    ({ path }) => path !== '/apps/:app' && !path.startsWith('/kith/tokens/'),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      fc.array(fc.oneof(word, fc.string({ maxLength: 10 })), { minLength: 3, maxLength: 3 }),
      body,
      header,
      async ({ method, path }, words, sent, range) => {
        let next = 0;
        const filled = path.replace(/:(\w+)/g, (_, name: string) =>
          name === 'app' ? 'blog' : encodeURIComponent((words[next++] || 'x').toWellFormed()),
        );
        const answer = await api.call(method, filled, method === 'GET' ? undefined : sent, { range });
        expect([method, filled, answer.status]).not.toEqual([method, filled, 500]);
        expect(answer.status).toBeLessThan(500);
      },
    ),
    { numRuns: 600 },
  );
  expect(api.logged.filter((line) => line.includes('request failed'))).toEqual([]);
});
