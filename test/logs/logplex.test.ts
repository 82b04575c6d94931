import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchFrame, syslogFrame } from '../../src/logs/drain-frame.ts';
import { parseLogplex } from '../../src/logs/logplex.ts';

test('what a drain sends is read as it was said, in either form', () => {
  const message = fc.record({
    timeUs: fc.integer({ min: 0, max: 2e12 }).map((ms) => ms * 1_000),
    source: fc.constantFrom('app' as const, 'heroku' as const),
    process: fc.constantFrom('web.1', 'router', 'api'),
    // A text that begins like the nil of the other form cannot be told from it.
    text: fc.string({ unit: 'grapheme' }).filter((text) => !/^- |[\n\r]/.test(text) && text.isWellFormed()),
  });
  fc.assert(
    fc.property(fc.array(message), (messages) => {
      for (const frame of [batchFrame, (each: (typeof messages)[number]) => syslogFrame(each, 'd.1')]) {
        const read = parseLogplex(Buffer.from(messages.map((each) => frame(each)).join('')));
        expect(read?.map(({ text }) => text)).toEqual(messages.map(({ text }) => text));
        expect(read?.map(({ timeMs }) => timeMs)).toEqual(messages.map(({ timeUs }) => timeUs / 1_000));
      }
    }),
  );
});

test.each(['x', '5', '5 ', '99 <190>1 t h a p - x\n', '0 ', '-1 x', '11 hello world', '1e3 x'])(
  '%j is no batch',
  (body) => {
    expect(parseLogplex(Buffer.from(body))).toBeNull();
  },
);

test('no bytes make the parser throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseLogplex(bytes)));
});
