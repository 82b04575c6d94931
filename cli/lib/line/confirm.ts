import { CliError, UsageError } from './cli-error.ts';
import type { World } from './world.ts';

const ASK_MS_MAX = 10 * 60_000;

/**
 * Lets a dangerous act pass only if its object was named twice: by `--confirm`, or typed at a terminal.
 * @param what what would happen, as a sentence
 */
export async function confirm(
  world: World,
  name: string,
  given: string | undefined,
  what: string,
): Promise<void> {
  if (given === name) return;
  if (given !== undefined) {
    throw new UsageError(`--confirm names "${given}", not "${name}": nothing was done`);
  }
  if (world.stdin.isTTY !== true) {
    throw new UsageError(`${what}: nothing was done`, `Add --confirm ${name} if that is what you want`);
  }
  const { createInterface } = await import('node:readline/promises');
  using reader = createInterface({ input: world.stdin, output: world.stderr });
  const typed = await reader.question(`${what}.\nType ${name} to go on: `, {
    signal: AbortSignal.timeout(ASK_MS_MAX),
  });
  if (typed.trim() !== name) throw new CliError(`"${typed.trim()}" is not "${name}": nothing was done`);
}
