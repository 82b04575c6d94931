import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Tasks } from '../../agent/lib/tasks.ts';
import { DynoManager, type DynoManagerParts } from '../../agent/peer/dyno-manager.ts';
import { adoptedFrom, labelsOf } from '../../agent/peer/dyno-labels.ts';
import { beginLife } from '../../src/dynos/life.ts';
import { PlatformError } from '../../src/errors.ts';
import type { DynoId } from '../../src/ids.ts';
import type { RuntimeEvent } from '../../src/shell/runtime.ts';
import { wantedSlot } from '../placement/builders.ts';

const log = pino({ level: 'silent' });
const DYNO = 'dyno-1' as DynoId;

test('a dyno that a runtime away from its work could not remove is ended and removed when it is back', async () => {
  const tasks = new Tasks(log);
  const done: string[] = [];
  let isAway = true;
  let tell: (event: RuntimeEvent) => void = () => {};
  const answer = (what: string): Promise<void> => {
    if (isAway) return Promise.reject(new PlatformError('unavailable', 'The Engine does not answer'));
    done.push(what);
    return Promise.resolve();
  };
  const parts = {
    tasks,
    log,
    runtime: {
      onEvent: (handler: typeof tell) => (tell = handler),
      remove: () => answer('remove'),
      signal: (_dyno: DynoId, signal: string) => answer(signal),
    },
    positions: { forget: () => {} },
    onAvailable: (on: boolean) => done.push(on ? 'back' : 'away'),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that removing needs
  const manager = new DynoManager(parts as unknown as DynoManagerParts);
  manager.remove(DYNO);
  await tasks.settled();
  expect(done).toEqual([]);
  isAway = false;
  tell({ tag: 'available', on: true, reason: '' });
  await tasks.settled();
  tell({ tag: 'available', on: true, reason: '' });
  await tasks.settled();
  expect(done).toEqual(['back', 'SIGKILL', 'remove', 'back']);
});

test('labels bring a dyno back with its launch; those of earlier agents know neither launch, layers nor images', () => {
  const claimedAt = { ms: 5, n: 1 };
  const slot = wantedSlot('blog/web.1');
  const start = { dyno: DYNO, slot, claimedAt, crashes: 2 };
  const { state: life } = beginLife(start, { mono: 7, wall: 1_000 });
  const found = { dyno: DYNO, address: null, listening: true, exited: null };
  expect(adoptedFrom({ ...found, labels: labelsOf(life) })).toEqual({
    ...found,
    slot,
    claimedAt,
    crashes: 2,
    launchedAt: 1_000,
  });
  const { layers: _layers, format: _format, listens: _listens, ...oldSlot } = slot;
  const labels = { kind: 'formation', life: JSON.stringify({ slot: oldSlot, claimedAt, crashes: 0 }) };
  expect(adoptedFrom({ ...found, labels })).toMatchObject({ slot, launchedAt: null });
  expect(adoptedFrom({ ...found, labels: { kind: 'one-off' } })).toBeNull();
});
