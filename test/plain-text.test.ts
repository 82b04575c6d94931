import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainLine, plainText } from '../src/plain-text.ts';

test('a stranger’s text loses what moves a cursor or turns text around, and keeps its lines', () => {
  expect(plainText('No\r\n\u001b[2J such\u0000 name \u202egnp.exe', 100)).toBe('No\n[2J such name gnp.exe');
  expect(plainText('Übung: „blog“ 🚀 日本語', 100)).toBe('Übung: „blog“ 🚀 日本語');
  expect(plainText('long'.repeat(100), 10)).toBe('longlonglo');
  expect(plainText('🚀'.repeat(20), 5)).toBe('🚀🚀');
});

test('in a sentence it is one line', () => {
  expect(plainLine('  No such\r\n\tname\u2028here ', 100)).toBe('No such name here');
});

test('whatever is said, nothing unprinted is left of it and no more than was asked for', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.integer({ min: 1, max: 50 }),
      (said, max) => {
        expect(plainText(said, max).length).toBeLessThanOrEqual(max);
        expect(plainText(said, max)).not.toMatch(/[^\P{C}\n\t]|[\u2028\u2029]/u);
        expect(plainLine(said, max)).not.toMatch(/\p{C}|[\u2028\u2029]/u);
      },
    ),
  );
});
