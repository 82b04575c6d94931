import type { Readable, Writable } from 'node:stream';

export type InputStream = Readable & { isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown };
export type OutputStream = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** What a command knows of the place that it runs in; tests give it another. */
export type World = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Wall ms, for "3m ago". */
  readonly now: () => number;
  /** How long to wait between two looks at something that takes a while. */
  readonly pollMs: number;
};

export function processWorld(): World {
  const { env, stdin, stdout, stderr } = process;
  return { env, cwd: process.cwd(), stdin, stdout, stderr, now: Date.now, pollMs: 1_000 };
}
