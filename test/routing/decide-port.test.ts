import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AppId, DynoId, PeerId } from '../../src/ids.ts';
import { decidePort, type PortProgress, type PortView } from '../../src/routing/decide-port.ts';
import type { RoutePort, RouteTarget } from '../../src/routing/table.ts';

const dyno = (name: string, fields: Partial<RouteTarget> = {}): RouteTarget => ({
  dyno: name as DynoId,
  name,
  peer: 'p' as PeerId,
  local: true,
  host: '127.0.0.1',
  port: 1,
  ...fields,
});
const port = (fields: Partial<RoutePort> = {}): RoutePort => ({
  app: 'a' as AppId,
  type: 'server',
  wanted: 1,
  starting: false,
  up: [],
  ...fields,
});
const view: PortView = { connections: () => 0, isEjected: () => false };
const fresh: PortProgress = { attempts: 0, attemptsMax: 10, isOverdue: false };
const decide = (given: RoutePort | undefined, progress: Partial<PortProgress> = {}, seen = view) =>
  decidePort(given, seen, { ...fresh, ...progress }, [0, 0]);

test('a dyno that is up is tried, one that refused a moment ago is not', () => {
  const up = [dyno('one'), dyno('two')];
  const isEjected = (target: RouteTarget): boolean => target.name === 'one';
  expect(decide(port({ up }), {}, { ...view, isEjected })).toEqual({ tag: 'try', target: up[1] });
});

test('with no dyno up a connection waits for one that is wanted or starting, for so long', () => {
  expect(decide(port())).toEqual({ tag: 'hold' });
  expect(decide(port({ wanted: 0, starting: true }))).toEqual({ tag: 'hold' });
  expect(decide(port({ wanted: 0 }))).toEqual({ tag: 'fail', desc: 'No dynos running' });
  expect(decide(port(), { isOverdue: true })).toEqual({ tag: 'fail', desc: 'No dyno up in time' });
});

test('when all dynos refused a moment ago a connection waits for another moment', () => {
  const seen = { ...view, isEjected: () => true };
  expect(decide(port({ up: [dyno('one')] }), {}, seen)).toEqual({ tag: 'hold' });
  expect(decide(port({ up: [dyno('one')] }), { isOverdue: true }, seen).tag).toBe('fail');
});

test('a port that is closed meanwhile, and too many attempts, are the end', () => {
  expect(decide(undefined)).toEqual({ tag: 'fail', desc: 'Port closed' });
  expect(decide(port({ up: [dyno('one')] }), { attempts: 10 }).tag).toBe('fail');
});

test('an overdue connection never waits, whatever is known', () => {
  fc.assert(
    fc.property(
      fc.nat(3),
      fc.boolean(),
      fc.nat(2),
      fc.array(fc.boolean()),
      (count, starting, wanted, ejected) => {
        const up = Array.from({ length: count }, (_, i) => dyno(`${i}`));
        const seen = { ...view, isEjected: (target: RouteTarget) => ejected[Number(target.name)] ?? false };
        expect(decide(port({ up, starting, wanted }), { isOverdue: true }, seen).tag).not.toBe('hold');
      },
    ),
  );
});
