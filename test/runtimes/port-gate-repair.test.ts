import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { PortGateRepair } from '../../agent/runtimes/docker/port-gate-repair.ts';
import { eventually } from '../helpers/eventually.ts';

/** A repair of a gate that fails for so many times. */
function failing(times: number) {
  const said: string[] = [];
  const log = pino({}, { write: (line: string) => said.push(line) });
  const tasks = new Tasks(log);
  const state = { tries: 0 };
  const portGate = {
    async restore() {
      state.tries += 1;
      if (state.tries <= times) throw new Error('the Engine is away');
    },
  };
  return { said, tasks, state, repair: new PortGateRepair({ portGate, tasks, log, retryMs: 1 }) };
}

test('a gate that is put back at once is no news', async () => {
  const { said, tasks, state, repair } = failing(0);
  await repair.repair();
  await tasks.settled();
  expect({ said, state }).toEqual({ said: [], state: { tries: 1 } });
});

test('a gate that cannot be put back is tried again until it is, however often the Engine comes back; said once', async () => {
  const { said, tasks, state, repair } = failing(4);
  await repair.repair();
  await repair.repair();
  await tasks.settled();
  expect(state.tries).toBe(5);
  expect(said).toEqual([
    expect.stringContaining('dynos not let through to internal ports'),
    expect.stringContaining('dynos let through to internal ports again'),
  ]);
  await repair.repair();
  await tasks.settled();
  expect([state.tries, said.length]).toEqual([6, 2]);
});

test('a runtime that ends does not go on trying', async () => {
  const { tasks, state, repair } = failing(Infinity);
  await repair.repair();
  await eventually(() => state.tries > 2);
  repair.close();
  await tasks.settled();
});
