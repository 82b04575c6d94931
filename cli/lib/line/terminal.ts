import type { World } from './world.ts';

/** Whether a command elsewhere gets a terminal, and the variables that tell it of ours. */
export type Terminal = { readonly hasTty: boolean; readonly env: Readonly<Record<string, string>> };

/** A pipe on either side is no terminal: what goes through it must not be changed. */
export function terminalOf({ env, stdin, stdout }: World, isWanted: boolean): Terminal {
  if (!isWanted || stdin.isTTY !== true || stdout.isTTY !== true) return { hasTty: false, env: {} };
  const { columns = 80, rows = 24 } = stdout;
  const term = env['TERM'] ?? 'xterm';
  return { hasTty: true, env: { TERM: term, COLUMNS: String(columns), LINES: String(rows) } };
}
