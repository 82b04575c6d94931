import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { pageOf, parseRange } from '../../src/platform/range.ts';

const FIELDS = ['version', 'id', 'created_at'];
const releases = [1, 2, 3, 9, 10].map((version) => ({ id: `id-${version}`, version }));
const versions = (header: string | undefined) =>
  pageOf(releases, parseRange(header, FIELDS), FIELDS).items.map((item) => item.version);

test.each([
  ['version ..; order=desc,max=1', [10]],
  ['version ..; max=1, order=desc', [10]],
  ['version ..; order=desc', [10, 9, 3, 2, 1]],
  ['version ..;order=desc,max=2;', [10, 9]],
  ['version 2..9', [2, 3, 9]],
  ['version ]2..9', [3, 9]],
  ['version 2..9[', [2, 3]],
  ['', [1, 2, 3, 9, 10]],
  [undefined, [1, 2, 3, 9, 10]],
])('the range "%s" gives versions %j', (header, expected) => {
  expect(versions(header)).toEqual(expected);
});

test('ranges by id, as the official CLI asks for domains, are read', () => {
  expect(parseRange('id ..; max=1000;', FIELDS)).toMatchObject({ field: 'id', max: 1_000, order: 'asc' });
  expect(parseRange('created_at ..; max=15, order=desc', FIELDS)).toMatchObject({ max: 15, order: 'desc' });
});

test('a range by a field that the list does not have is refused', () => {
  for (const header of ['color ..', 'bytes=0-10', 'version', '..;', '__proto__ ..']) {
    expect(() => parseRange(header, FIELDS)).toThrow(
      expect.objectContaining({ code: 'range_not_satisfiable' }),
    );
  }
});

test('more than a thousand items at once are not to be had', () => {
  expect(parseRange('id ..; max=999999', FIELDS).max).toBe(1_000);
  expect(parseRange('id ..; max=0', FIELDS).max).toBe(1);
});

test('names sort by the numbers in them', () => {
  const dynos = ['web.10', 'web.2', 'worker.1', 'web.1'].map((name) => ({ id: name, name }));
  const page = pageOf(dynos, parseRange(undefined, ['name']), ['name']);
  expect(page.items.map((dyno) => dyno.name)).toEqual(['web.1', 'web.2', 'web.10', 'worker.1']);
});

test('following Next-Range reads every item once, also where values are equal', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom('asc', 'desc'),
      (values, max, order) => {
        const items = values.map((version, i) => ({ id: `id-${i}`, version }));
        const seen: string[] = [];
        let header: string | undefined = `version ..; max=${max}, order=${order}`;
        while (header !== undefined) {
          const page: ReturnType<typeof pageOf<(typeof items)[number]>> = pageOf(
            items,
            parseRange(header, FIELDS),
            FIELDS,
          );
          seen.push(...page.items.map((item) => item.id));
          header = page.headers['Next-Range'];
          expect(page.status).toBe(header === undefined ? 200 : 206);
        }
        expect(seen.sort()).toEqual(items.map((item) => item.id).sort());
      },
    ),
  );
});

test('any text in a Range header is read or refused, never a crash', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        pageOf(releases, parseRange(text, FIELDS), FIELDS);
      } catch (error) {
        expect(error).toMatchObject({ code: 'range_not_satisfiable' });
      }
    }),
  );
});
