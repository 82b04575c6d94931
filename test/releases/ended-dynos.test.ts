import { expect, test } from 'vitest';
import { OutputLog } from '../../agent/lib/output-log.ts';
import { EndedDynos } from '../../agent/releases/ended-dynos.ts';
import type { DynoId } from '../../src/ids.ts';
import type { DynoRuntimeEvent } from '../../src/shell/runtime.ts';

const DYNO = 'dyno-1' as DynoId;
const exited: DynoRuntimeEvent = { tag: 'exited', dyno: DYNO, status: 3, signal: null, outOfMemory: false };

function wrote(text: string, dyno = DYNO): DynoRuntimeEvent {
  return { tag: 'output', dyno, seq: 0, timeUs: 0, text };
}

test('a command that has written and ended before its start resolved is heard all the same', async () => {
  const dynos = new EndedDynos();
  const output = new OutputLog();
  await dynos.followNext(output, async () => {
    dynos.onRuntime(wrote('one'));
    dynos.onRuntime(wrote('of another', 'dyno-2' as DynoId));
    dynos.onRuntime(exited);
    return { dyno: DYNO };
  });
  expect(await dynos.ended(DYNO, new AbortController().signal)).toMatchObject({ status: 3 });
  expect(output.bytes().toString()).toBe('one\n');
});

test('who waits for an end is let go when the agent closes', async () => {
  const dynos = new EndedDynos();
  dynos.follow(DYNO, new OutputLog());
  const closing = new AbortController();
  const ended = dynos.ended(DYNO, closing.signal);
  closing.abort(new Error('closing'));
  await expect(ended).rejects.toThrow('closing');
});
