import { CliError } from '../line/cli-error.ts';
import { passThrough } from '../heroku/pass-through.ts';
import type { World } from '../line/world.ts';

/** Runs another program of this machine that is told by its environment alone whom to speak to, and as whom. */
export async function runClient(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  world: World,
): Promise<number> {
  try {
    return await passThrough(program, args, world, { ...world.env, ...env });
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const found = isMissing ? 'it is not installed' : 'it could not be started';
    throw new CliError(`This needs the program "${program}" on this machine: ${found}`, { cause });
  }
}
