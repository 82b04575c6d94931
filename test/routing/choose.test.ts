import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppId, DynoId, PeerId } from '../../src/ids.ts';
import { chooseTarget } from '../../src/routing/choose.ts';
import { decide, type RequestProgress, type RouterView } from '../../src/routing/decide.ts';
import type { RouteApp, RouteTarget } from '../../src/routing/table.ts';

function target(id: string, fields: Partial<RouteTarget> = {}): RouteTarget {
  return {
    dyno: id as DynoId,
    name: 'web.1',
    peer: 'p' as PeerId,
    local: false,
    host: 'h',
    port: 1,
    ...fields,
  };
}

function app(up: readonly RouteTarget[], fields: Partial<RouteApp> = {}): RouteApp {
  return {
    app: 'a' as AppId,
    name: 'a',
    maintenance: false,
    blank: false,
    webQuantity: 1,
    starting: false,
    crashed: false,
    up,
    ...fields,
  };
}

const IDLE: RouterView = { inFlight: () => 0, isEjected: () => false, inFlightMax: 2 };
const FRESH: RequestProgress = {
  attempts: 0,
  attemptsMax: 10,
  avoid: new Set(),
  lastCode: null,
  isOverdue: false,
};
const DRAW = [0, 0] as const;

test('of two random targets the one with fewer requests is chosen; when even, the local one', () => {
  const [a, b, c] = [target('a'), target('b'), target('c', { local: true })];
  const load = (target: RouteTarget): number => (target === a ? 2 : 1);
  expect(chooseTarget([a, b], load, [0, 0])).toBe(b);
  expect(chooseTarget([b, c], load, [0, 0])).toBe(c);
  expect(chooseTarget([c, b], load, [0, 0])).toBe(c);
  expect(chooseTarget([], load, [0, 0])).toBe(null);
});

test('any draw picks two different targets, and never the fuller one', () => {
  const draw = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 2, maxLength: 8 }), draw, draw, (loads, x, y) => {
      const targets = loads.map((_, index) => target(String(index)));
      const load = (each: RouteTarget): number => loads[Number(each.dyno)] ?? 0;
      const chosen = chooseTarget(targets, load, [x, y]);
      expect(chosen).not.toBe(null);
      if (chosen !== null && loads.filter((each) => each >= load(chosen)).length < 2) {
        throw new Error('the only fullest target was chosen over another');
      }
    }),
  );
});

test.for([
  ['maintenance', app([target('a')], { maintenance: true }), 'H80'],
  ['no release', app([target('a')], { blank: true }), 'H81'],
  ['no web dynos wanted', app([], { webQuantity: 0 }), 'H14'],
  ['crashed', app([], { crashed: true }), 'H10'],
] as const)('an app with %s is not served', ([, each, code]) => {
  expect(decide(each, IDLE, FRESH, DRAW)).toEqual({ tag: 'fail', code });
});

test('a request is held while something starts, or while another peer may be taking over, but not for ever', () => {
  for (const each of [app([], { starting: true, crashed: true }), app([])]) {
    expect(decide(each, IDLE, FRESH, DRAW)).toEqual({ tag: 'hold' });
    expect(decide(each, IDLE, { ...FRESH, isOverdue: true }, DRAW)).toEqual({ tag: 'fail', code: 'H20' });
  }
});

test('ejected and full dynos are waited for, one that swallowed the request is not', () => {
  const each = app([target('a')]);
  const ejected = { ...IDLE, isEjected: () => true };
  const full = { ...IDLE, inFlight: () => 2 };
  const overdue = { ...FRESH, isOverdue: true };
  expect(decide(each, ejected, FRESH, DRAW)).toEqual({ tag: 'hold' });
  expect(decide(each, ejected, overdue, DRAW)).toEqual({ tag: 'fail', code: 'H34' });
  expect(decide(each, ejected, { ...overdue, lastCode: 'H21' }, DRAW)).toEqual({ tag: 'fail', code: 'H21' });
  expect(decide(each, full, FRESH, DRAW)).toEqual({ tag: 'hold' });
  expect(decide(each, full, overdue, DRAW)).toEqual({ tag: 'fail', code: 'H11' });
  const avoid = new Set(['a' as DynoId]);
  expect(decide(each, IDLE, { ...FRESH, avoid }, DRAW)).toEqual({ tag: 'fail', code: 'H13' });
  expect(decide(each, IDLE, { ...FRESH, attempts: 10, lastCode: 'H19' }, DRAW)).toEqual({
    tag: 'fail',
    code: 'H19',
  });
});
