import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PostgreSQL refuses to be run by root: there, `nobody` runs what is tested. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** A real server that a test runs, in a folder of its own. */
export class DatabaseProcess implements AsyncDisposable {
  readonly dir: string;
  port = 0;
  #child: ChildProcess | null = null;
  #said = '';
  // A test run that is cut short leaves no server behind.
  readonly #onExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(name: string) {
    this.dir = mkdtempSync(join(tmpdir(), `kith-${name}-`));
    if (isRoot) chownSync(this.dir, NOBODY, NOBODY);
    process.once('exit', this.#onExit);
  }

  get #options(): SpawnOptions {
    return {
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', HOME: this.dir, LC_ALL: 'C' },
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    };
  }

  /** A program of its that ends by itself. */
  async run(program: string, args: readonly string[]): Promise<void> {
    const child = this.#spawn(program, args);
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${this.#said}`);
  }

  async start(program: string, args: readonly string[]): Promise<void> {
    this.#child = this.#spawn(program, args);
    await once(this.#child, 'spawn');
  }

  /** What it is asked while it starts: fails at once if it has ended. */
  mustRun(): void {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) return;
    throw new Error(`The server ended: ${this.#said}`);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGQUIT');
    setTimeout(() => child.kill('SIGKILL'), 30_000).unref();
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    process.off('exit', this.#onExit);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, this.#options);
    const keep = (data: Buffer): void => void (this.#said = (this.#said + data.toString()).slice(-4_000));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    return child;
  }
}
