import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { PortKeeper } from '../../agent/peer/port-keeper.ts';
import type { PortReport } from '../../src/shell/router.ts';

/** A keeper over a runtime that is played: `allowed` has what it was asked for, and `refuse` makes it fail. */
function played() {
  const said: string[] = [];
  const allowed: (readonly number[])[] = [];
  const state = { refuse: false, onCall: () => {} };
  const log = pino(
    {},
    new Writable({ write: (chunk, _encoding, done) => (said.push(String(chunk)), done()) }),
  );
  const tasks = new Tasks(log);
  const abort = new AbortController();
  const runtime = {
    internalHost: '127.64.1.1',
    async allowPorts(numbers: readonly number[]) {
      allowed.push(numbers);
      state.onCall();
      if (state.refuse) throw new Error('the Engine is away');
    },
  };
  let report = (_report: PortReport): void => {};
  new PortKeeper({ runtime, tasks, log, signal: abort.signal, retryMs: 1 }).follow({
    onPorts: (handler) => (report = handler),
  });
  return { said, allowed, state, tasks, abort, report: (latest: PortReport) => report(latest) };
}

const listening = (...numbers: number[]): PortReport => ({ listening: numbers, failed: [] });

test('dynos are let through to the ports on which the router listens now, the latest report last', async () => {
  const { allowed, tasks, report } = played();
  report(listening(61_001));
  report(listening(61_001, 61_002));
  report(listening(61_002));
  await tasks.settled();
  expect(allowed.at(-1)).toEqual([61_002]);
});

test('what cannot be done now is tried again, and said once', async () => {
  const { allowed, said, state, tasks, report } = played();
  state.refuse = true;
  state.onCall = () => (state.refuse = allowed.length < 4);
  report(listening(61_001));
  await tasks.settled();
  expect(allowed).toHaveLength(4);
  expect(said.filter((line) => line.includes('dynos not let through'))).toHaveLength(1);
});

test('a number that cannot be listened on is said once, and again when the reason is another', async () => {
  const { said, tasks, report } = played();
  const failed = (reason: string): PortReport => ({ listening: [], failed: [{ number: 61_001, reason }] });
  report(failed('taken'));
  report(failed('taken'));
  report(failed('no such address'));
  await tasks.settled();
  expect(said.filter((line) => line.includes('internal port not listened on'))).toHaveLength(2);
});

test('a number that is listened on at last is said once more, one that is closed is not', async () => {
  const { said, tasks, report } = played();
  const reason = 'taken';
  report({ listening: [], failed: [61_001, 61_002].map((number) => ({ number, reason })) });
  report(listening(61_001));
  report(listening(61_001));
  await tasks.settled();
  const well = said.filter((line) => line.includes('internal port listened on'));
  expect(well.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([61_001]);
});

test('a closing agent does not go on trying', async () => {
  const { state, tasks, abort, report } = played();
  state.refuse = true;
  report(listening(61_001));
  abort.abort();
  await tasks.settled();
});
