import { expect, test } from 'vitest';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { LogLine } from '../../src/logs/line.ts';
import { gapEvent, isAfter, laterCursor, lineEvent, parseCursor } from '../../src/logs/log-event.ts';

function line(timeUs: number, seq: number, text = 'hello'): LogLine {
  const peer = '12D3KooWAbCdEfGhIj' as PeerId;
  return { app: 'a' as AppId, timeUs, source: 'app', process: 'web.1', text, peer, seq };
}

test('a line is one event whose id leads back to it', () => {
  const first = line(1_767_323_047_123_456, 7);
  const event = lineEvent(first, laterCursor(null, first));
  expect(event).toBe(
    'id: 1767323047123456-CdEfGhIj-7\ndata: 2026-01-02T03:04:07.123456+00:00 app[web.1]: hello\n\n',
  );
  const cursor = parseCursor('1767323047123456-CdEfGhIj-7');
  expect(isAfter(first, cursor)).toBe(false);
  expect(isAfter(line(first.timeUs, 8), cursor)).toBe(true);
});

test('a late line does not move the cursor back', () => {
  const cursor = laterCursor(laterCursor(null, line(200, 2)), line(100, 1));
  expect(cursor.timeUs).toBe(200);
});

test('a carriage return inside a line cannot make up another field of the event', () => {
  const bar = line(0, 1, '10%\rid: 5\r\n20%\r');
  expect(lineEvent(bar, laterCursor(null, bar)).split('\n').slice(1)).toEqual([
    'data: 1970-01-01T00:00:00.000000+00:00 app[web.1]: 10%',
    'data: id: 5',
    'data: 20%',
    '',
    '',
  ]);
});

test('a gap is told in the words of L11', () => {
  expect(gapEvent(3, 0, 1_000_000)).toBe(
    'data: 1970-01-01T00:00:01.000000+00:00 heroku[logplex]: Error L11 (Tail buffer overflow) -> ' +
      'This tail session dropped 3 messages since 1970-01-01T00:00:00.000Z.\n\n',
  );
});

test('an id that is none of ours starts from the beginning', () => {
  for (const text of [undefined, '', 'x', '1-2', '-'.repeat(10)]) expect(parseCursor(text)).toBeNull();
});
