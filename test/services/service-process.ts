import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../helpers/free-port.ts';

/** PostgreSQL refuses to be run by root: there, `nobody` runs what is tested. */
const NOBODY = 65_534;
export const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
const SERVICES = join(import.meta.dirname, '..', '..', 'services');
const START_MS = 60_000;

/** A server that Kith runs, as a dyno has it: a home with `start` and the volume `data`. */
export class ServiceProcess implements AsyncDisposable {
  readonly home: string;
  readonly volume: string;
  readonly port: number;
  password = "it's a \\ secret";
  said = '';
  #child: ChildProcess | null = null;
  readonly #onExit = (): void => this.#kill('SIGKILL');

  private constructor(service: string, port: number) {
    this.home = mkdtempSync(join(tmpdir(), `kith-${service}-`));
    this.volume = join(this.home, 'data');
    this.port = port;
    copyFileSync(join(SERVICES, service, 'start'), join(this.home, 'start'));
    chmodSync(join(this.home, 'start'), 0o755);
    if (owner.uid !== undefined) chownSync(this.home, owner.uid, owner.gid);
    this.mount();
    process.once('exit', this.#onExit);
  }

  static async make(service: 'postgresql' | 'redis'): Promise<ServiceProcess> {
    return new ServiceProcess(service, await freePort());
  }

  /** An empty volume of its own. */
  mount(): void {
    mkdirSync(this.volume);
    if (owner.uid !== undefined) chownSync(this.volume, owner.uid, owner.gid);
  }

  /** In place of its own, the volume of another. */
  mountThatOf(other: ServiceProcess): void {
    this.unmount();
    symlinkSync(other.volume, this.volume);
    this.password = other.password;
  }

  unmount(): void {
    rmSync(this.volume, { recursive: true });
  }

  start(): ChildProcess {
    this.said = '';
    const child = spawn('./start', [], {
      cwd: this.home,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        HOME: this.home,
        // What a server that is killed leaves there goes with its home.
        TMPDIR: this.home,
        PORT: String(this.port),
        ADMIN_PASSWORD: this.password,
        KITH_MEMORY_MIB: '512',
        KITH_INTERNAL_HOST: '127.64.0.1',
      },
      ...owner,
    });
    const keep = (data: Buffer): void => void (this.said += data.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#child = child;
    void once(child, 'close').then(() => {
      if (this.#child === child) this.#child = null;
    });
    return child;
  }

  /** How a start ends that comes to nothing. */
  async failure(): Promise<string> {
    const child = this.start();
    const [status] = (await once(child, 'close', { signal: AbortSignal.timeout(START_MS) })) as [number];
    if (status === 0) throw new Error(`It ended well: ${this.said}`);
    return this.said;
  }

  /** To all of its processes, as runtimes do. @returns its exit status; null when a signal ended it */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    const ended = once(child, 'close', { signal: AbortSignal.timeout(START_MS) });
    this.#kill(signal);
    const [status] = (await ended) as [number | null];
    return status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    process.off('exit', this.#onExit);
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }

  #kill(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
