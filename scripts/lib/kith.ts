import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from './agent-process.ts';

export type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end. Never throws for a bad status: see `must`. */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly withinMs?: number;
    /** With nothing of this process's environment: what a person's shell has is not what a test runner's has. */
    readonly isBare?: boolean;
  } = {},
): Promise<Ran> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...(options.isBare === true ? {} : process.env), NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(options.withinMs ?? 300_000),
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { status: status as number | null, stdout, stderr };
}

export function must(ran: Ran): Ran {
  if (ran.status === 0) return ran;
  throw new Error(`A command ended with status ${ran.status}: ${ran.stderr.trim() || ran.stdout.trim()}`);
}

/** Runs the CLI against one peer over its Unix socket. */
export function kith(
  dir: string,
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Ran> {
  const env = { ...options.env, KITH_HOST: `unix:${join(dir, 'kith.sock')}` };
  return run(join(ROOT, 'cli', 'kith'), args, { ...options, env });
}
