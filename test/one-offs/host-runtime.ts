import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Duplex, type Readable } from 'node:stream';
import { PlatformError } from '../../src/errors.ts';
import type { DynoId } from '../../src/ids.ts';
import type { ExecSession, ExecSpec, Runtime } from '../../src/shell/runtime.ts';

/** The inside of one dyno, which is a folder of this machine: real commands and real archives. */
export class HostRuntime implements Pick<Runtime, 'exec' | 'copyOut'> {
  readonly dyno = 'dyno-1' as DynoId;
  readonly #dir: string;
  readonly sizes: string[] = [];
  /** Exits of commands, in order. */
  readonly ends: string[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }

  async exec(dyno: DynoId, spec: ExecSpec): Promise<ExecSession> {
    this.#mustRun(dyno);
    const env = { PATH: process.env['PATH'], ...spec.env };
    const child = spawn('bash', ['-c', spec.command], { cwd: this.#dir, env });
    const stdio = Duplex.from({ readable: child.stdout, writable: child.stdin });
    stdio.once('close', () => child.kill('SIGKILL'));
    const ended = new Promise<{ status: number | null; signal: string | null }>((resolve) => {
      child.once('exit', (status, signal) => {
        this.ends.push(`${status ?? signal}`);
        resolve({ status, signal });
      });
    });
    const resize = async (columns: number, rows: number): Promise<void> => {
      this.sizes.push(`${columns} x ${rows}`);
    };
    return { stdio, ended, resize };
  }

  async copyOut(dyno: DynoId, path: string): Promise<Readable> {
    this.#mustRun(dyno);
    const full = join(this.#dir, path);
    if (!existsSync(full)) throw new PlatformError('not_found', 'No such file', { resource: 'file' });
    return spawn('tar', ['-c', '-C', dirname(full), basename(full)]).stdout;
  }

  #mustRun(dyno: DynoId): void {
    if (dyno !== this.dyno) throw new PlatformError('not_found', `Dyno "${dyno}" does not run here`);
  }
}
