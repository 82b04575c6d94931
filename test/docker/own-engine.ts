import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, readlink, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../helpers/eventually.ts';
import { TINY_STACK } from './tiny-stack.ts';

const run = promisify(execFile);
const IMAGE = 'kith/stack:tiny';

/**
 * A disk for the Engine's images and containers alone. The Engine bounds what a container writes on btrfs; not on tmpfs, nor
 * on XFS mounted as here, without quotas of projects.
 */
export type OwnDisk = { readonly type: 'tmpfs' | 'btrfs' | 'xfs'; readonly mib: number };

/**
 * A Docker Engine of the test's own, to be killed and started again: own files, own sockets, and namespaces of its own for
 * network and mounts, so that it never touches the rules and bridges of the host's Engine, and no mount outlives it.
 */
export class OwnEngine implements AsyncDisposable {
  readonly host: string;
  readonly image = IMAGE;
  readonly #dir: string;
  readonly #holder: ChildProcess;
  readonly #disk: OwnDisk | null;
  #containerd: ChildProcess | null = null;
  #daemon: ChildProcess | null = null;

  private constructor(dir: string, holder: ChildProcess, disk: OwnDisk | null) {
    this.#dir = dir;
    this.#disk = disk;
    this.#holder = holder;
    this.host = `unix://${dir}/docker.sock`;
  }

  /**
   * @param dir a folder for all its files
   * @param disk null: what the Engine keeps is on the machine's disk
   */
  static async start(dir: string, disk: OwnDisk | null = null): Promise<OwnEngine> {
    await mkdir(dir, { recursive: true });
    const holder = await holdNamespaces();
    const engine = new OwnEngine(dir, holder, disk);
    try {
      await engine.#inside('ip', ['link', 'set', 'lo', 'up']);
      if (disk !== null) await engine.#mount(disk);
      await engine.#startContainerd();
      await engine.startDaemon();
      await engine.#importStack();
      return engine;
    } catch (error) {
      await engine.#endAll();
      throw error;
    }
  }

  /** Gives its disk, a tmpfs, another size. */
  async resizeDisk(diskMiB: number): Promise<void> {
    await this.#inside('mount', ['-o', `remount,size=${diskMiB}m`, this.#data]);
  }

  /** MiB that its disk has left. */
  async freeMiB(): Promise<number> {
    const shown = await this.#inside('df', ['--output=avail', '--block-size=1M', this.#data]);
    return Number(shown.split('\n')[1]);
  }

  /** A program that shares its network and its mounts, and ends with whoever disposes of it. */
  beside(program: string, args: readonly string[]): ChildProcess {
    return spawn('nsenter', [...this.#namespace(), program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  async startDaemon(): Promise<void> {
    const at = (name: string): string => join(this.#dir, name);
    const places = ['--data-root', this.#data, '--exec-root', at('exec'), '--pidfile', at('docker.pid')];
    const driver = this.#disk?.type === 'btrfs' ? 'btrfs' : 'overlay2';
    const storage = this.#disk === null ? [] : ['--storage-driver', driver];
    const sockets = ['-H', this.host, '--containerd', at('containerd.sock')];
    this.#daemon = await this.#spawn('dockerd', [...places, ...storage, ...sockets, '--bridge', 'none']);
    await eventually(() => this.docker('version'), { withinMs: 90_000, everyMs: 100 });
  }

  /** As a crash, or the kernel, would end it: containers go on without it. */
  async kill(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === null) return;
    this.#daemon = null;
    const ended = once(daemon, 'exit');
    process.kill(await this.#pid(), 'SIGKILL');
    await ended;
  }

  async docker(...args: string[]): Promise<string> {
    return (await run('docker', ['-H', this.host, ...args], { timeout: 60_000 })).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon === null) await this.startDaemon();
    const containers = (await this.docker('ps', '-aq')).split('\n').filter((id) => id !== '');
    if (containers.length > 0) await this.docker('rm', '-f', ...containers);
    const daemon = this.#daemon;
    if (daemon !== null) {
      const ended = once(daemon, 'exit');
      process.kill(await this.#pid(), 'SIGTERM');
      await ended;
    }
    const containerd = this.#containerd;
    if (containerd !== null) {
      const ended = once(containerd, 'exit');
      containerd.kill('SIGTERM');
      await ended;
    }
    await this.#endAll();
  }

  get #data(): string {
    return join(this.#dir, 'data');
  }

  /** Mounted where only this Engine sees it; the mount, and its loop device, go with the last process that does. */
  async #mount({ type, mib }: OwnDisk): Promise<void> {
    await mkdir(this.#data);
    if (type === 'tmpfs') {
      await this.#inside('mount', ['-t', type, '-o', `size=${mib}m`, type, this.#data]);
      return;
    }
    const file = join(this.#dir, `disk.${type}`);
    await writeFile(file, '');
    await truncate(file, mib * 2 ** 20);
    await run(`mkfs.${type}`, ['-q', file]);
    // What btrfs removes is free after its next commit, which it makes every 30 s by itself.
    const options = type === 'btrfs' ? 'loop,commit=1' : 'loop';
    await this.#inside('mount', ['-t', type, '-o', options, file, this.#data]);
  }

  #namespace(): string[] {
    const of = (kind: string): string => `/proc/${this.#holder.pid}/ns/${kind}`;
    return [`--net=${of('net')}`, `--mount=${of('mnt')}`, '--'];
  }

  /** Of its own as well, as where systemd starts both: it outlives the Engine, and so do containers. */
  async #startContainerd(): Promise<void> {
    const at = (name: string): string => join(this.#dir, name);
    await writeFile(at('containerd.toml'), 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const places = ['--root', at('containerd'), '--state', at('state'), '--address', at('containerd.sock')];
    this.#containerd = await this.#spawn('containerd', ['--config', at('containerd.toml'), ...places]);
    await eventually(() => stat(at('containerd.sock')), { withinMs: 60_000 });
  }

  async #spawn(program: string, args: readonly string[]): Promise<ChildProcess> {
    const log = createWriteStream(join(this.#dir, `${program}.log`), { flags: 'a' });
    await once(log, 'open');
    return spawn('nsenter', [...this.#namespace(), program, ...args], { stdio: ['ignore', log, log] });
  }

  async #inside(program: string, args: readonly string[]): Promise<string> {
    return (await eventually(() => run('nsenter', [...this.#namespace(), program, ...args]))).stdout;
  }

  /** Shims too, of containers that the Engine was making when it was killed: nobody knows of them any more. */
  async #endAll(): Promise<void> {
    const own = await readlink(`/proc/${this.#holder.pid}/ns/mnt`);
    for (const pid of (await readdir('/proc')).map(Number)) {
      if (!(pid > 0) || pid === this.#holder.pid) continue;
      // One that has ended meanwhile is in no namespace.
      const namespace = await readlink(`/proc/${pid}/ns/mnt`).catch(() => null);
      if (namespace === own) killUnlessGone(pid);
    }
    this.#holder.kill('SIGKILL');
  }

  async #pid(): Promise<number> {
    return Number(await readFile(join(this.#dir, 'docker.pid'), 'utf8'));
  }

  async #importStack(): Promise<void> {
    const source = spawn('docker', ['run', '--rm', '-i', 'kith/stack:bookworm', 'sh', '-c', TINY_STACK], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const target = spawn('docker', ['-H', this.host, 'import', '-', IMAGE], {
      stdio: [source.stdout, 'ignore', 'inherit'],
    });
    const [status] = (await once(target, 'exit')) as [number | null];
    if (status !== 0) throw new Error(`docker import ended with status ${status}`);
  }
}

/** A process that does nothing but hold namespaces of its own, for whoever enters them. */
async function holdNamespaces(): Promise<ChildProcess> {
  const holder = spawn('unshare', ['--net', '--mount', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  await once(holder, 'spawn');
  // Until it has become the other program, its namespaces may be those of the machine.
  const comm = (): Promise<string> => readFile(`/proc/${holder.pid}/comm`, 'utf8');
  await eventually(async () => (await comm()) === 'sleep\n', { withinMs: 30_000 });
  return holder;
}

function killUnlessGone(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
