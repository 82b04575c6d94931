import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { postgresEnvironment } from '../../src/postgres-environment.ts';
import { PlatformError } from '../../src/errors.ts';
import { missingProgram } from '../lib/missing-program.ts';

const DUMP = ['--format=custom', '--no-owner', '--no-privileges', '--no-password', '--lock-wait-timeout=60s'];
const RESTORE = [
  '--format=custom',
  '--clean',
  '--if-exists',
  '--no-owner',
  '--no-privileges',
  '--no-password',
];
/** Of one agent, at a time. */
const PROGRAMS_MAX = 8;
const SAID_LENGTH_MAX = 2_000;
/** How long a database takes nobody knows, only that bytes move. */
const SILENCE_MS = 120_000;

/**
 * What `pg_dump` writes, in its custom format. Whoever leaves the iteration ends the program.
 * @throws PlatformError when the program is missing, of another version, or not let in: before the first byte
 */
export async function dumpDatabase(url: URL, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  const chunks = outputOf(new Program('pg_dump', DUMP, url, signal));
  const first = await chunks.next();
  return (async function* () {
    try {
      if (first.done !== true) yield first.value;
      yield* chunks;
    } finally {
      await chunks.return(undefined);
    }
  })();
}

/** Gives a dump to `pg_restore`, in one transaction: when it fails, or is cut off, everything is as it was. */
export async function restoreDatabase(
  url: URL,
  dump: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const args = [...RESTORE, '--single-transaction', `--dbname=${decodeURIComponent(url.pathname.slice(1))}`];
  const program = new Program('pg_restore', args, url, signal);
  try {
    for await (const chunk of dump) {
      if (!(await program.feed(chunk))) break;
    }
    await program.end();
  } finally {
    program.kill();
  }
}

async function* outputOf(program: Program): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of program.child.stdout) {
      program.moved();
      yield chunk as Uint8Array;
    }
    await program.end();
  } finally {
    program.kill();
  }
}

let running = 0;

function mustHaveRoom(name: string): void {
  if (running < PROGRAMS_MAX) return;
  throw new PlatformError(
    'rate_limit',
    `Cannot run ${name}: this peer is at ${PROGRAMS_MAX} dumps and restores`,
    {
      hint: 'Try again later, or at another peer',
    },
  );
}

/** One of PostgreSQL's own programs at work on a database. */
class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #ended: Promise<PlatformError | null>;
  readonly #onAbort = (): void => this.kill();
  readonly #signal: AbortSignal;
  #silence: NodeJS.Timeout;
  #said = '';
  #isSilent = false;
  #isOver = false;

  constructor(name: string, args: readonly string[], url: URL, signal: AbortSignal) {
    signal.throwIfAborted();
    mustHaveRoom(name);
    this.#name = name;
    this.#signal = signal;
    const { PATH = '', HOME = '/' } = process.env;
    this.child = spawn(name, args, { env: { PATH, HOME, LC_ALL: 'C.UTF-8', ...postgresEnvironment(url) } });
    running += 1;
    this.#silence = setTimeout(() => this.#onSilence(), SILENCE_MS);
    this.child.stderr.on('data', (data: Buffer) => {
      this.#said = (this.#said + data.toString('utf8')).slice(0, SAID_LENGTH_MAX);
    });
    // It says itself why it took no more.
    this.child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(missingProgram(error) ?? this.#failure(error)));
      this.child.once('close', (code) => resolve(code === 0 ? null : this.#failure(null)));
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
    void this.#ended.then(() => {
      running -= 1;
      this.#isOver = true;
      clearTimeout(this.#silence);
      signal.removeEventListener('abort', this.#onAbort);
    });
  }

  /** @returns whether it takes more */
  async feed(chunk: Uint8Array): Promise<boolean> {
    this.moved();
    const { stdin } = this.child;
    if (this.#isOver || stdin.destroyed) return false;
    if (!stdin.write(chunk)) await Promise.race([once(stdin, 'drain').catch(() => null), this.#ended]);
    return !this.#isOver;
  }

  moved(): void {
    this.#silence.refresh();
  }

  /** Nothing more is given to it. @throws PlatformError in its own words, unless it ended well */
  async end(): Promise<void> {
    this.child.stdin.end();
    // It may build indexes for an hour now: whoever asked says when that is too long.
    clearTimeout(this.#silence);
    const failure = await this.#ended;
    this.#signal.throwIfAborted();
    if (failure !== null) throw failure;
  }

  kill(): void {
    if (!this.#isOver) this.child.kill('SIGKILL');
  }

  #onSilence(): void {
    this.#isSilent = true;
    this.kill();
  }

  #failure(cause: Error | null): PlatformError {
    const options = cause === null ? {} : { cause };
    if (this.#isSilent) {
      return new PlatformError(
        'timeout',
        `${this.#name} came to a halt: nothing moved for ${SILENCE_MS / 1_000} s`,
        {
          hint: 'A transaction of the app may hold a lock: try again with `kith maintenance:on` and no dynos',
          ...options,
        },
      );
    }
    const said = this.#said.trim() || cause?.message || 'it ended without a word';
    if (/version mismatch|unsupported version/i.test(said)) {
      return new PlatformError('unavailable', `${this.#name} of this peer is too old: ${said}`, {
        hint: 'Install the `postgresql-client` of the newer version on that host, or ask another peer',
        ...options,
      });
    }
    return new PlatformError('invalid_params', `${this.#name} failed: ${said}`, options);
  }
}
