import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSlugignore } from '../../src/builds/slugignore.ts';

test.each([
  ['*.psd', 'art/logo.psd', false, true],
  ['*.psd', 'art/logo.psd.txt', false, false],
  ['/test', 'test', true, true],
  ['/test', 'lib/test', true, false],
  ['docs/', 'docs', true, true],
  ['docs/', 'docs', false, false],
  ['a/b', 'a/b', false, true],
  ['a/b', 'x/a/b', false, false],
  ['**/tmp', 'x/y/tmp', true, true],
  ['logs/**', 'logs/a/b', false, true],
  ['logs/**', 'logs', true, false],
  ['file[0-9].txt', 'file7.txt', false, true],
  ['file[!0-9].txt', 'file7.txt', false, false],
  ['!keep', 'keep', false, false],
  ['# comment', '# comment', false, false],
  ['a.c', 'abc', false, false],
])('%s on %s (folder: %s) says %s', (pattern, path, isFolder, expected) => {
  expect(parseSlugignore(pattern)(path, isFolder)).toBe(expected);
});

test('no pattern can throw', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      (text, path) => typeof parseSlugignore(text)(path, false) === 'boolean',
    ),
  );
});
