import { pino } from 'pino';
import { expect, test } from 'vitest';
import { findPoison, noteStarted } from '../../agent/boot/poison.ts';
import { openStore } from '../../agent/store/store.ts';
import type { OpId } from '../../src/ids.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const log = pino({ level: 'silent' });
const ops = ['good', 'deadly', 'later'].map((id) => ({ id }) as StoredOp);

/** One start of an agent that dies the moment it applies the deadly op. */
async function start(dir: string): Promise<{ applied: OpId[]; shunned: OpId[]; isUp: boolean }> {
  await using store = await openStore(dir, log);
  const applied: OpId[] = [];
  const apply = ({ id }: StoredOp): void => {
    if (id === ('deadly' as OpId)) throw new Error('the end');
    applied.push(id);
  };
  try {
    const shunned = await findPoison(store, ops, log, apply);
    const isDead = !shunned.has('deadly' as OpId);
    if (!isDead) await noteStarted(store);
    return { applied, shunned: [...shunned.keys()], isUp: !isDead };
  } catch {
    return { applied, shunned: [], isUp: false };
  }
}

test('an op that the agent dies of again and again is found, and skipped from then on', async () => {
  await using dir = await tempDir();
  // Two starts end in the fold itself; the next two look closely, and die of it too.
  for (let i = 0; i < 4; i += 1) expect(await start(dir.path)).toMatchObject({ isUp: false, shunned: [] });
  expect(await start(dir.path)).toEqual({ applied: ['good', 'later'], shunned: ['deadly'], isUp: true });
  expect(await start(dir.path)).toEqual({ applied: [], shunned: ['deadly'], isUp: true });
});

test('an agent that starts well applies nothing twice', async () => {
  await using dir = await tempDir();
  await using store = await openStore(dir.path, log);
  for (let i = 0; i < 5; i += 1) {
    const apply = (): void => {
      throw new Error('a rehearsal was not asked for');
    };
    expect((await findPoison(store, ops, log, apply)).size).toBe(0);
    await noteStarted(store);
  }
});
