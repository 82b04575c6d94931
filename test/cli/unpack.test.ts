import { posix } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { staysInside } from '../../cli/lib/deploy/unpack.ts';

const step = fc.constantFrom('..', '.', '', 'a', 'b', 'link');
const part = fc.constantFrom('a', 'b', 'link');

test('a link that is allowed never leads above the top, even if every name on its way were a link to the top', () => {
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 5 }),
      fc.array(step, { maxLength: 8 }),
      fc.boolean(),
      (parts, steps, isAbsolute) => {
        const to = (isAbsolute ? '/' : '') + steps.join('/');
        if (!staysInside(parts, to)) return;
        // Followed by hand: the folders of the link are real; each name may throw us back to the top.
        let depth = parts.length - 1;
        for (const name of posix.normalize(to).split('/')) {
          if (name === '..') depth -= 1;
          else if (name !== '.' && name !== '') depth = 1;
          expect(depth).toBeGreaterThanOrEqual(1);
        }
      },
    ),
  );
});

test('links within a copied folder are allowed', () => {
  expect(staysInside(['modules', '.bin', 'tool'], '../tool/bin.js')).toBe(true);
  expect(staysInside(['lib', 'libx.so'], 'libx.so.1')).toBe(true);
  expect(staysInside(['lib', 'here'], '.')).toBe(true);
  expect(staysInside(['lib', 'up'], '..')).toBe(false);
  expect(staysInside(['lib'], 'anything')).toBe(false);
});
