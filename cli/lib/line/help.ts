import { GROUPS, summaryOf } from '../../commands.ts';
import type { Command } from './command.ts';
import type { ArgSpecs, FlagSpec } from './specs.ts';
import { flagsOf } from './parse-args.ts';
import { wrap } from '../print/wrap.ts';

/** Of terminals as a rule, and of what people paste. */
const WIDTH = 80;

/** All commands, by what they are about. */
export function overview(): string {
  const lines = ['Your own machines, run together like one Heroku.', '', 'USAGE', '  $ kith COMMAND [FLAGS]'];
  const width = Math.max(
    ...GROUPS.flatMap(({ commands }) => Object.keys(commands).map((name) => name.length)),
  );
  for (const { title, commands } of GROUPS) {
    lines.push('', title.toUpperCase());
    for (const [name, { summary }] of Object.entries(commands))
      lines.push(`  ${name.padEnd(width)}  ${summary}`);
  }
  lines.push('', 'Run `kith help COMMAND` for its flags and examples.');
  return `${lines.join('\n')}\n`;
}

/** Usage, flags and examples of one command. */
export function commandHelp(name: string, command: Command): string {
  const lines = [
    summaryOf(name),
    '',
    'USAGE',
    `  $ kith ${[name, ...usageOf(command.args ?? {})].join(' ')} [FLAGS]`,
  ];
  if (command.details !== undefined) lines.push('', ...wrap(command.details, WIDTH));
  const args = Object.entries(command.args ?? {}).filter(([, arg]) => arg.summary !== undefined);
  if (args.length > 0)
    lines.push(
      '',
      'ARGUMENTS',
      ...aligned(args.map(([arg, { summary }]) => [arg.toUpperCase(), summary ?? ''])),
    );
  const flags = Object.entries(flagsOf(command));
  if (command.runRaw === undefined)
    lines.push('', 'FLAGS', ...aligned(flags.map(([flag, spec]) => [flagUsage(flag, spec), spec.summary])));
  if (command.examples !== undefined)
    lines.push('', 'EXAMPLES', ...command.examples.map((line) => `  $ ${line}`));
  return `${lines.join('\n')}\n`;
}

function usageOf(args: ArgSpecs): readonly string[] {
  return Object.entries(args).map(([name, { is }]) => {
    if (is === 'required') return name.toUpperCase();
    return is === 'optional' ? `[${name.toUpperCase()}]` : `${name.toUpperCase()}…`;
  });
}

function flagUsage(flag: string, { short, kind, value }: FlagSpec): string {
  const shortForm = short === undefined ? '    ' : `-${short}, `;
  return `${shortForm}--${flag}${kind === 'boolean' ? '' : ` ${value ?? 'VALUE'}`}`;
}

function aligned(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  const gap = ' '.repeat(width + 4);
  return rows.map(([left, right]) => {
    const lines = wrap(right, WIDTH - gap.length);
    return `  ${left.padEnd(width)}  ${lines.join(`\n${gap}`)}`.trimEnd();
  });
}
