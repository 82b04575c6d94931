import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlatformError } from '../../src/errors.ts';
import { parseProcfile } from '../../src/builds/procfile.ts';

const type = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/).filter((text) => text !== '__proto__');
const command = fc.stringMatching(/^[!-~][ -~]{0,60}$/).map((text) => text.trim());

test('any set of declarations is read back as it was written, comments and blank lines aside', () => {
  fc.assert(
    fc.property(fc.dictionary(type, command), fc.constantFrom('\n', '\r\n'), (commands, newline) => {
      const lines = Object.entries(commands).flatMap(([name, text]) => [`${name}: ${text}`, '', '# note']);
      expect(parseProcfile(lines.join(newline))).toEqual(commands);
    }),
  );
});

test('no text makes anything but commands or a PlatformError', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        for (const value of Object.values(parseProcfile(text))) expect(value).not.toBe('');
      } catch (error) {
        expect(error).toBeInstanceOf(PlatformError);
      }
    }),
  );
});

test('the last of two lines for one type wins', () => {
  expect(parseProcfile('web: one\nweb: two')).toEqual({ web: 'two' });
});

test('a command may hold colons and quotes', () => {
  expect(parseProcfile(`web:  bash -c "a: b"  `)).toEqual({ web: 'bash -c "a: b"' });
});

test('a line that declares nothing is named with its number and text', () => {
  expect(() => parseProcfile('web: x\n\nnpm start')).toThrow('line 3 of the Procfile: found "npm start"');
  expect(() => parseProcfile('web:')).toThrow('line 1');
});
