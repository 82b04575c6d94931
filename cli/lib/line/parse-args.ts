import { UsageError } from './cli-error.ts';
import type { Command } from './command.ts';
import {
  APP_FLAGS,
  GLOBAL_FLAGS,
  type ArgSpecs,
  type FlagSpec,
  type FlagSpecs,
  type FlagValue,
  type Parsed,
} from './specs.ts';
import { nearest } from './suggest.ts';

/** All flags of a command: its own, those of commands on an app, and those that every command has. */
export function flagsOf(command: Command): FlagSpecs {
  return { ...command.flags, ...(command.ofApp === true ? APP_FLAGS : {}), ...GLOBAL_FLAGS };
}

/** @throws UsageError that names the word it cannot place */
export function parseArgs(name: string, command: Command, words: readonly string[]): Parsed {
  const specs = flagsOf(command);
  const hint = `See \`kith help ${name}\``;
  const flags: Record<string, FlagValue> = {};
  for (const [flag, { kind }] of Object.entries(specs)) {
    flags[flag] = kind === 'boolean' ? false : kind === 'list' ? [] : undefined;
  }
  const positional: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') {
      positional.push(...queue);
      break;
    }
    if (!isFlag(word)) {
      positional.push(word);
      if (command.endsFlags !== true) continue;
      const { own, app } = command.ofApp === true ? splitTrailingApp(queue) : { own: queue, app: null };
      positional.push(...own);
      if (app !== null) flags['app'] = app;
      break;
    }
    const { flag, spec, inline, cluster } = findFlag(word, specs, hint);
    if (cluster !== '') queue.unshift(`-${cluster}`);
    if (spec.kind === 'boolean') {
      if (inline !== null) throw new UsageError(`--${flag} takes no value, found "${inline}"`, hint);
      flags[flag] = true;
      continue;
    }
    const value = inline ?? queue.shift();
    if (value === undefined) throw new UsageError(`--${flag} needs a value (${spec.value ?? 'VALUE'})`, hint);
    const former = flags[flag];
    flags[flag] = spec.kind === 'list' ? [...(Array.isArray(former) ? former : []), value] : value;
  }
  // Who asks for help need not know what is required.
  return { flags, args: flags['help'] === true ? {} : placeArgs(command.args ?? {}, positional, hint) };
}

/**
 * The words of a command that runs elsewhere are its own, but for the app at their end: `kith run bash -a blog` is what
 * fingers used to Heroku type. Behind `--` even that is the command's.
 */
function splitTrailingApp(words: readonly string[]): { own: readonly string[]; app: string | null } {
  const inline = /^--app=(.+)$/.exec(words.at(-1) ?? '')?.[1];
  if (words.includes('--')) return { own: words, app: null };
  if (inline !== undefined) return { own: words.slice(0, -1), app: inline };
  const [flag, app] = words.slice(-2);
  const isApp = words.length >= 2 && (flag === '-a' || flag === '--app') && app !== undefined;
  return isApp ? { own: words.slice(0, -2), app } : { own: words, app: null };
}

/** A lone `-` stands for stdin, and `-1` for a number. */
function isFlag(word: string): boolean {
  return /^-[^\d]/.test(word);
}

type FoundFlag = {
  readonly flag: string;
  readonly spec: FlagSpec;
  /** The value after `=`, or stuck to a short flag. */ readonly inline: string | null;
  /** Other short flags of the same word. */ readonly cluster: string;
};

function findFlag(word: string, specs: FlagSpecs, hint: string): FoundFlag {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const flag = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const spec = specs[flag];
    if (spec === undefined) throw unknownFlag(`--${flag}`, specs, hint);
    return { flag, spec, inline: equals === -1 ? null : word.slice(equals + 1), cluster: '' };
  }
  const short = word.slice(1, 2);
  const [flag, spec] = Object.entries(specs).find(([, each]) => each.short === short) ?? [];
  if (flag === undefined || spec === undefined) throw unknownFlag(`-${short}`, specs, hint);
  const rest = word.slice(2);
  if (spec.kind === 'boolean') return { flag, spec, inline: null, cluster: rest };
  return { flag, spec, inline: rest === '' ? null : rest.replace(/^=/, ''), cluster: '' };
}

function unknownFlag(flag: string, specs: FlagSpecs, hint: string): UsageError {
  const meant = nearest(
    flag,
    Object.keys(specs).map((name) => `--${name}`),
  );
  return new UsageError(`Unknown flag "${flag}"`, meant === null ? hint : `Did you mean ${meant}? ${hint}`);
}

function placeArgs(specs: ArgSpecs, words: readonly string[], hint: string): Parsed['args'] {
  const args: Record<string, string | readonly string[] | undefined> = {};
  let at = 0;
  for (const [name, { is }] of Object.entries(specs)) {
    if (is === 'rest') {
      args[name] = words.slice(at);
      return args;
    }
    if (is === 'required' && at >= words.length) throw new UsageError(`Missing ${name.toUpperCase()}`, hint);
    args[name] = words[at];
    at += 1;
  }
  const extra = words[at];
  if (extra !== undefined) throw new UsageError(`Unexpected argument "${extra}"`, hint);
  return args;
}
