import { expect, test } from 'vitest';
import { batchFrame, overflowNotice, priorityOf, syslogFrame } from '../../src/logs/drain-frame.ts';

const TIME_US = 1_767_323_047_123_456;
const line = { timeUs: TIME_US, source: 'app', process: 'web.1', text: 'hällo wörld' } as const;

test('a syslog frame is RFC 5424 behind its length in bytes, with the token for a host name', () => {
  const frame = syslogFrame(line, 'd.123');
  const body = '<190>1 2026-01-02T03:04:07.123456+00:00 d.123 app web.1 - - hällo wörld\n';
  expect(frame).toBe(`${Buffer.byteLength(body)} ${body}`);
});

test('a frame of a batch has "host" for a host name, and one nil less', () => {
  const said = { ...line, source: 'heroku', text: 'State changed from starting to up' } as const;
  const body =
    '<45>1 2026-01-02T03:04:07.123456+00:00 host heroku web.1 - State changed from starting to up\n';
  expect(batchFrame(said)).toBe(`${body.length} ${body}`);
});

test.each([
  ['app', 'web.1', 190],
  ['app', 'release.99', 190],
  ['app', 'api', 133],
  ['app', 'heroku-redis', 134],
  ['heroku', 'router', 158],
  ['heroku', 'web.1', 45],
  ['heroku', 'logplex', 172],
] as const)('%s[%s] has the priority %i', (source, process, priority) => {
  expect(priorityOf({ source, process })).toBe(priority);
});

test('an overflow is told as L10, with how many were dropped and since when', () => {
  expect(syslogFrame(overflowNotice(497, TIME_US, TIME_US + 1_000_000), 'd.1')).toContain(
    '<172>1 2026-01-02T03:04:08.123456+00:00 d.1 heroku logplex - - Error L10 (output buffer overflow): ' +
      '497 messages dropped since 2026-01-02T03:04:07.123456+00:00.\n',
  );
});
