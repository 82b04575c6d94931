import { expect, test } from 'vitest';
import { defineCommand } from '../../cli/lib/line/command.ts';
import { parseArgs } from '../../cli/lib/line/parse-args.ts';

const command = defineCommand({
  ofApp: true,
  args: { first: { is: 'required' }, others: { is: 'rest' } },
  flags: {
    num: { kind: 'string', short: 'n', summary: '' },
    tail: { kind: 'boolean', short: 't', summary: '' },
    env: { kind: 'list', short: 'e', summary: '' },
  },
  run: async () => undefined,
});

function parse(...words: string[]) {
  return parseArgs('test', command, words);
}

test('flags may stand anywhere, long or short, with their value behind or stuck to them', () => {
  for (const words of [
    ['one', '--num', '5', '-a', 'blog', '-t'],
    ['--num=5', '-ablog', 'one', '--tail'],
    ['-tn5', '--app=blog', 'one'],
  ]) {
    const { flags, args } = parse(...words);
    expect(flags).toMatchObject({ num: '5', app: 'blog', tail: true });
    expect(args).toEqual({ first: 'one', others: [] });
  }
});

test('a list flag gathers its values, and values keep their equals signs', () => {
  expect(parse('one', '-e', 'A=1', '--env=B=2=3').flags['env']).toEqual(['A=1', 'B=2=3']);
});

test('words after -- are arguments, as are numbers and a lone dash', () => {
  expect(parse('one', '--', '--tail', '-x').args).toEqual({ first: 'one', others: ['--tail', '-x'] });
  expect(parse('-', '-5').args).toEqual({ first: '-', others: ['-5'] });
});

test('a command that runs another leaves the flags of that one alone', () => {
  const run = { ...command, endsFlags: true };
  const { flags, args } = parseArgs('run', run, ['-a', 'blog', 'ls', '-l', '--tail']);
  expect(flags).toMatchObject({ app: 'blog', tail: false });
  expect(args).toEqual({ first: 'ls', others: ['-l', '--tail'] });
});

test('the app may also stand at the end of a command that runs elsewhere, unless -- comes first', () => {
  const run = { ...command, endsFlags: true };
  expect(parseArgs('run', run, ['ls', '-l', '-a', 'blog'])).toMatchObject({
    flags: { app: 'blog' },
    args: { first: 'ls', others: ['-l'] },
  });
  expect(parseArgs('run', run, ['ls', '--app=blog'])).toMatchObject({ flags: { app: 'blog' } });
  expect(parseArgs('run', run, ['ls', '-a']).args).toEqual({ first: 'ls', others: ['-a'] });
  expect(parseArgs('run', run, ['ls', '--', '-a', 'blog']).flags).toMatchObject({ app: undefined });
});

test('what cannot be placed is named, with a way out', () => {
  expect(() => parse()).toThrow('Missing FIRST');
  expect(() => parse('one', '--nun', '5')).toThrow('Unknown flag "--nun"');
  expect(() => parse('one', '-z')).toThrow('Unknown flag "-z"');
  expect(() => parse('one', '--num')).toThrow('--num needs a value');
  expect(() => parse('one', '--tail=yes')).toThrow('--tail takes no value, found "yes"');
  try {
    parse('one', '--nun', '5');
  } catch (error) {
    expect(error).toMatchObject({ hint: 'Did you mean --num? See `kith help test`', exit: 2 });
  }
});

test('an argument too many is refused', () => {
  const none = defineCommand({ run: async () => undefined });
  expect(() => parseArgs('apps', none, ['extra'])).toThrow('Unexpected argument "extra"');
});
