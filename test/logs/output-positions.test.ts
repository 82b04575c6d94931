import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { OutputPositions } from '../../agent/peer/output-positions.ts';
import type { DynoId } from '../../src/ids.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const DYNO = 'dyno-1' as DynoId;

afterEach(() => {
  vi.useRealTimers();
});

test('a position is saved only when its line has had time to reach the disk', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'positions.json');
  vi.useFakeTimers();
  using positions = new OutputPositions(path, pino({ level: 'silent' }));
  positions.advance(DYNO, 1);
  vi.advanceTimersByTime(490);
  positions.advance(DYNO, 2);
  vi.advanceTimersByTime(20);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ [DYNO]: 1 });
  vi.advanceTimersByTime(500);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ [DYNO]: 2 });
  expect(positions.last(DYNO)).toBe(2);
});
