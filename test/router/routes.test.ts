import { expect, test } from 'vitest';
import { Routes } from '../../agent/router/routes.ts';
import type { AppId } from '../../src/ids.ts';
import type { RouteTable } from '../../src/routing/table.ts';

test('a held request that a new table does not help is woken once, and holds again', () => {
  const routes = new Routes(1);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only what setTable reads
  const table = { members: [], localDynos: {}, apps: {} } as unknown as RouteTable;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any text is an id here
  const app = 'app' as AppId;
  let woken = 0;
  const hold = (): void => {
    routes.hold(app, () => {
      woken += 1;
      if (woken > 10) throw new Error('woken again and again by one table');
      hold();
    });
  };
  hold();
  routes.setTable(table);
  expect(woken).toBe(1);
  routes.setTable(table);
  expect(woken).toBe(2);
});
