import { PassThrough } from 'node:stream';
import { runCli } from '../../cli/lib/line/run-cli.ts';
import type { OutputStream, World } from '../../cli/lib/line/world.ts';

export type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
};

/** 2026-01-02 12:00 UTC: "now" of every run, so that "3m ago" can be told. */
export const NOW = Date.UTC(2026, 0, 2, 12);
export const NOWHERE = '/nonexistent';

/** A world whose output is kept. Nothing of the machine's own settings gets in. */
export function fakeWorld(options: RunOptions = {}): World & { text: (of: 'stdout' | 'stderr') => string } {
  const stdin = new PassThrough();
  stdin.end(options.stdin ?? '');
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  return {
    env: { HOME: NOWHERE, PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', ...options.env },
    cwd: options.cwd ?? '/',
    stdin,
    stdout,
    stderr,
    now: () => NOW,
    pollMs: 5,
    text: (of) => readText(of === 'stdout' ? stdout : stderr),
  };
}

/** Runs a command line in this process. */
export async function runKith(words: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const world = fakeWorld(options);
  const status = await runCli(words, world);
  return { status, stdout: world.text('stdout'), stderr: world.text('stderr') };
}

const kept = new WeakMap<OutputStream, Buffer[]>();

function readText(stream: PassThrough): string {
  const chunks = kept.get(stream) ?? [];
  kept.set(stream, chunks);
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) {
    if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
