import * as fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { execFileSync } from 'node:child_process';
import { joinCommand, shellQuote } from '../../cli/lib/print/quote.ts';
import { paintFor } from '../../cli/lib/print/paint.ts';
import { paintLogLine } from '../../cli/lib/print/log-paint.ts';
import { SseParser } from '../../cli/lib/api/sse.ts';
import { nearest } from '../../cli/lib/line/suggest.ts';
import { renderTable, widthOf } from '../../cli/lib/print/table.ts';
import { formatDuration, formatMoment, parseDuration } from '../../cli/lib/print/time.ts';
import { parseBase } from '../../cli/lib/api/endpoint.ts';
import { commandNames } from '../../cli/commands.ts';
import { wrap } from '../../cli/lib/print/wrap.ts';
import { fakeWorld } from './run-kith.ts';

test('a table is aligned, with a rule under its headers and no blanks at line ends', () => {
  const lines = renderTable(
    ['NAME', 'STATE'],
    [
      ['pi-1', 'alive'],
      ['longer-name', 'down'],
    ],
    { width: 80 },
  );
  expect(lines).toEqual([
    'NAME         STATE',
    '───────────  ─────',
    'pi-1         alive',
    'longer-name  down',
  ]);
});

test('a table fits the terminal however wide its cells are, as long as columns keep their least width', () => {
  const cell = fc.string({ unit: 'grapheme-ascii', maxLength: 200 });
  const rows = fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 30, max: 120 }), (cells, width) => {
      for (const line of renderTable(['A', 'B', 'C'], cells, { width }))
        expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test('colours do not count as width', () => {
  const [, , row] = renderTable(['A', 'B'], [['\u001B[32mup\u001B[39m', 'x']], { width: 80 });
  expect(row).toBe('\u001B[32mup\u001B[39m  x');
});

test('colours are for terminals, and not for those who want none', () => {
  const terminal = Object.assign(fakeWorld().stdout, { isTTY: true });
  expect(paintFor(terminal, {}).red('x')).toBe('\u001B[31mx\u001B[39m');
  expect(paintFor(terminal, { NO_COLOR: '1' }).red('x')).toBe('x');
  expect(paintFor(terminal, { TERM: 'dumb' }).red('x')).toBe('x');
  expect(paintFor(fakeWorld().stdout, {}).red('x')).toBe('x');
});

test('log lines of a dyno have one colour, and other text stays as it is', () => {
  const paint = paintFor(Object.assign(fakeWorld().stdout, { isTTY: true }), {});
  const colour = (line: string): string => paintLogLine(line, paint).slice(0, 5);
  expect(colour('2026-01-02T03:04:05.000000+00:00 app[web.1]: a')).toBe(
    colour('2026-01-02T03:04:06.000000+00:00 app[web.1]: b'),
  );
  expect(paintLogLine('2026-01-02T03:04:05.000000+00:00 app[web.1]: said', paint)).toMatch(/\[39m said$/);
  expect(paintLogLine('no log line', paint)).toBe('no log line');
});

test('durations are read and written in the largest unit that fits', () => {
  expect(['90', '90s', '15m', '1h', '2d', '1w', '', '-1'].map(parseDuration)).toEqual([
    90,
    90,
    900,
    3_600,
    172_800,
    null,
    null,
    null,
  ]);
  expect([5_000, 180_000, 7_200_000, 200_000_000].map(formatDuration)).toEqual(['5s', '3m', '2h', '2d']);
});

test('a moment is shown in local time with its offset, as Heroku does', () => {
  const now = Date.UTC(2026, 0, 2, 12);
  vi.stubEnv('TZ', 'America/St_Johns');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(formatMoment('2026-01-02T11:57:00Z', now)).toBe('2026/01/02 08:27:00 -0330 (~ 3m ago)');
  expect(formatMoment('soon', now)).toBe('soon');
});

test('the words of a command are joined as the Heroku CLI joins them', () => {
  expect(joinCommand(['echo $HOME | wc'])).toBe('echo $HOME | wc');
  expect(joinCommand(['echo', '$HOME', 'a b', 'say "hi"'])).toBe('echo $HOME "a b" "say \\"hi\\""');
});

test('a quoted word comes through a shell unchanged', () => {
  const words = ['plain', 'two words', "it's", '$HOME `x`', 'line\nbreak', ''];
  const script = `printf '%s\\0' ${words.map(shellQuote).join(' ')}`;
  expect(execFileSync('sh', ['-c', script]).toString().split('\0').slice(0, -1)).toEqual(words);
});

test('a misspelt command is taken for the nearest one, a strange one for none', () => {
  expect(nearest('ps:sclae', commandNames())).toBe('ps:scale');
  expect(nearest('confg', commandNames())).toBe('config');
  expect(nearest('xyzzy', commandNames())).toBeNull();
});

test('server-sent events are read whatever pieces they come in', () => {
  const text =
    'retry: 10\n: ping\n\nid: 1\ndata: a\ndata: b\n\nevent: x\ndata:c\r\n\r\nid: 2\ndata: d\n\ndata: cut off';
  for (let size = 1; size <= text.length; size += 1) {
    const parser = new SseParser();
    const events = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      text.slice(at * size, (at + 1) * size),
    ).flatMap((piece) => parser.push(piece));
    expect(events).toEqual([
      { id: '1', lines: ['a', 'b'] },
      { id: '1', lines: ['c'] },
      { id: '2', lines: ['d'] },
    ]);
    expect(parser.retryMs).toBe(10);
  }
});

test('a host without a port means the port of agents, a URL means what it says', () => {
  expect(parseBase('pi')).toBe('http://pi:5001');
  expect(parseBase('pi:80')).toBe('http://pi');
  expect(parseBase('10.0.0.2:5001')).toBe('http://10.0.0.2:5001');
  expect(parseBase('[::1]:5001')).toBe('http://[::1]:5001');
  expect(parseBase('https://kith.example')).toBe('https://kith.example');
  expect(() => parseBase('http://pi/path')).toThrow('"http://pi/path" is no address of a peer');
  expect(() => parseBase('a b')).toThrow('is no address of a peer');
});

test('wrapping keeps all words in their order, and no line that could be shorter is too long', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), (words) => {
      const lines = wrap(words.join(' '), 10);
      expect(lines.join(' ')).toBe(words.join(' '));
      for (const line of lines) expect(line.length <= 10 || !line.includes(' ')).toBe(true);
    }),
  );
});
