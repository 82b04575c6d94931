import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LayeredMap } from '../../src/ledger/layered-map.ts';

test('a layered map reads as a map does, and its older versions do not change', () => {
  const batch = fc.array(fc.tuple(fc.nat(30), fc.nat()), { maxLength: 10 });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 30 }), (batches) => {
      let layered = LayeredMap.empty<number, number>();
      let plain = new Map<number, number>();
      const versions: [LayeredMap<number, number>, Map<number, number>][] = [];
      for (const entries of batches) {
        layered = layered.with(new Map(entries));
        plain = new Map([...plain, ...entries]);
        versions.push([layered, plain]);
      }
      for (const [map, expected] of versions) {
        expect(map.size).toBe(expected.size);
        expect(new Map(map)).toEqual(expected);
        expect([...map.keys()]).toHaveLength(expected.size);
        for (let key = 0; key <= 30; key += 1) {
          expect([map.get(key), map.has(key)]).toEqual([expected.get(key), expected.has(key)]);
        }
      }
    }),
  );
});
