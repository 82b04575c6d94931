import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../helpers/eventually.ts';

const run = promisify(execFile);
const IMAGE = 'kith/stack:tiny';

/** As little of the stack as the wrapper of dynos needs, as a tar on stdout. */
export const TINY_STACK = `
cd /
programs=$(for name in bash dash sh sleep cat true seq stty base64 mkdir; do echo usr/bin/$name; done)
libraries=$(ldd $programs | grep -o '/lib[^ ]*' | sed 's:^:/usr:' | sort -u)
files=$(for file in $libraries; do echo $file; readlink -f $file; done | sed 's:^/::' | sort -u)
tar -c bin lib lib64 $programs $files etc/passwd etc/group app run tmp
`;

/**
 * A Docker Engine of the test's own, to be killed and started again: own files, own sockets, and namespaces of its own for
 * network and mounts, so that it never touches the rules and bridges of the host's Engine, and no mount outlives it.
 */
export class OwnEngine implements AsyncDisposable {
  readonly host: string;
  readonly image = IMAGE;
  readonly #dir: string;
  readonly #holder: ChildProcess;
  #containerd: ChildProcess | null = null;
  #daemon: ChildProcess | null = null;

  private constructor(dir: string, holder: ChildProcess) {
    this.#dir = dir;
    this.#holder = holder;
    this.host = `unix://${dir}/docker.sock`;
  }

  /**
   * @param dir a folder for all its files
   * @param diskMiB gives its images and containers a disk of their own, so small
   */
  static async start(dir: string, diskMiB?: number): Promise<OwnEngine> {
    await mkdir(dir, { recursive: true });
    const holder = spawn('unshare', ['--net', '--mount', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
    await once(holder, 'spawn');
    const engine = new OwnEngine(dir, holder);
    await engine.#inside('ip', ['link', 'set', 'lo', 'up']);
    if (diskMiB !== undefined) await engine.#mountDisk(diskMiB);
    await engine.#startContainerd();
    await engine.startDaemon();
    await engine.#importStack();
    return engine;
  }

  /** Gives its disk another size. */
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
    const args = [...places, '-H', this.host, '--bridge', 'none', '--containerd', at('containerd.sock')];
    this.#daemon = await this.#spawn('dockerd', args);
    await eventually(() => this.docker('version'), { withinMs: 60_000, everyMs: 100 });
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
    this.#holder.kill('SIGKILL');
  }

  get #data(): string {
    return join(this.#dir, 'data');
  }

  async #mountDisk(diskMiB: number): Promise<void> {
    await mkdir(this.#data);
    await this.#inside('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'tmpfs', this.#data]);
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
    await eventually(() => stat(at('containerd.sock')), { withinMs: 30_000 });
  }

  async #spawn(program: string, args: readonly string[]): Promise<ChildProcess> {
    const log = createWriteStream(join(this.#dir, `${program}.log`), { flags: 'a' });
    await once(log, 'open');
    return spawn('nsenter', [...this.#namespace(), program, ...args], { stdio: ['ignore', log, log] });
  }

  async #inside(program: string, args: readonly string[]): Promise<string> {
    return (await eventually(() => run('nsenter', [...this.#namespace(), program, ...args]))).stdout;
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
