import type { ExecSpec } from '../../src/shell/runtime.ts';

/** The variables that a client sends along, as text. */
export function envOf({
  env,
}: {
  readonly env?: Readonly<Record<string, string | number>> | null | undefined;
}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env ?? {}).map(([key, value]) => [key, String(value)]));
}

/** Clients tell of their terminal once, as variables. */
export function ttyOf(
  params: { readonly force_no_tty?: boolean | null | undefined },
  env: Readonly<Record<string, string>>,
): ExecSpec['tty'] {
  if (params.force_no_tty === true) return null;
  return { columns: cells(env.COLUMNS, 80), rows: cells(env.LINES, 24), term: env.TERM || 'xterm' };
}

/** A client at a terminal tells its size; what has none is read to its end, which is sent along. */
export function endsInput(env: Readonly<Record<string, string>>): boolean {
  return env.COLUMNS === undefined;
}

function cells(text: string | undefined, fallback: number): number {
  const count = Number(text);
  return Number.isInteger(count) && count >= 1 && count <= 10_000 ? count : fallback;
}
