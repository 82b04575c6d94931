import { findCommand, commandNames } from '../../commands.ts';
import { CliError } from './cli-error.ts';
import type { Command } from './command.ts';
import { Context } from './context.ts';
import { parseArgs } from './parse-args.ts';
import { printError } from '../print/print-error.ts';
import { nearest } from './suggest.ts';
import type { World } from './world.ts';

/** Runs one command line. Never throws. @returns exit status: 0, the command's own, or that of its error */
export async function runCli(words: readonly string[], world: World): Promise<number> {
  try {
    const [name, rest] = nameOf(words);
    const entry = findCommand(name);
    if (entry === null) throw unknownCommand(name);
    return await runCommand(entry.name, await entry.load(), rest, world);
  } catch (error) {
    return printError(error, world);
  }
}

async function runCommand(
  name: string,
  command: Command,
  words: readonly string[],
  world: World,
): Promise<number> {
  if (command.runRaw !== undefined) return command.runRaw(words, world);
  const parsed = parseArgs(name, command, words);
  if (parsed.flags['help'] === true) {
    const { commandHelp } = await import('./help.ts');
    world.stdout.write(commandHelp(name, command));
    return 0;
  }
  return (await command.run?.(new Context(world, parsed))) ?? 0;
}

/** `kith`, `kith --help` and `kith --version` mean commands too. */
function nameOf([first, ...rest]: readonly string[]): readonly [name: string, rest: readonly string[]] {
  if (first === undefined || first === '--help' || first === '-h') return ['help', rest];
  if (first === '--version' || first === '-v') return ['version', rest];
  return [first, rest];
}

function unknownCommand(name: string): CliError {
  const meant = nearest(name, commandNames());
  const hint = meant === null ? 'See `kith help` for all commands' : `Did you mean \`kith ${meant}\`?`;
  return new CliError(`${name} is not a kith command`, { hint, exit: 127 });
}
