import { spawn } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildEngine } from './build-engine.ts';

/** How builds are kept apart from the host: told once at start, in the log. */
export type Sandbox = {
  /** The user builds run as where the agent is root; null: the agent's own. */
  readonly uid: number | null;
} & (
  | { readonly kind: 'bubblewrap' | 'none' }
  /** A container of the stack image for each command. */
  | { readonly kind: 'docker'; readonly engine: BuildEngine }
);
/** One that is a program of this host. */
export type HostSandbox = Extract<Sandbox, { readonly kind: 'bubblewrap' | 'none' }>;

export type SandboxCommand = {
  /** Bash script; the arguments are its `$1`… */
  readonly script: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Folders that the command may change, and what else of the host (beside its system folders) it may see. */
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  /** Folders seen read-only at another path than their own: `at` is an empty folder in a writable one. */
  readonly shown: readonly ShownFolder[];
  /** It asks nobody for anything: a container starts faster without a network. */
  readonly isOffline?: boolean;
};

export type Ended = { readonly status: number | null; readonly signal: string | null };

export type OnLine = (line: string, from: 'stdout' | 'stderr') => void;

export type ShownFolder = { readonly from: string; readonly at: string };

// nobody: owns nothing, and no other service of a sane host runs as it with files worth reading.
const BUILD_UID = 65_534;
/** One that is of no use fails at once: this is for a busy host, which must not do without it for that. */
const PROBE_MS = 30_000;
const SYSTEM_FOLDERS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/nix/store',
  '/gnu/store',
];

export function containerSandbox(engine: BuildEngine): Sandbox {
  return { kind: 'docker', engine, uid: process.getuid?.() === 0 ? BUILD_UID : null };
}

/** Finds out, by trying, whether bubblewrap works here: it needs user namespaces or root, which containers often lack. */
export async function probeSandbox(): Promise<Sandbox> {
  const uid = process.getuid?.() === 0 ? BUILD_UID : null;
  const wrapped: HostSandbox = { kind: 'bubblewrap', uid };
  const [file, ...args] = sandboxArgv(wrapped, {
    script: 'exit 0',
    args: [],
    env: {},
    writable: [],
    readable: [],
    shown: [],
  });
  const probe = spawn(file ?? 'bwrap', args, { stdio: 'ignore' });
  const works = await Promise.race([
    new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.once('exit', (code) => resolve(code === 0));
    }),
    sleep(PROBE_MS, false, { ref: false }),
  ]);
  if (!works) probe.kill('SIGKILL');
  return works ? wrapped : { kind: 'none', uid };
}

/** One truthful sentence about it. */
export function describeSandbox(sandbox: Sandbox): string {
  const user = sandbox.uid === null ? "the agent's own user" : `user ${sandbox.uid}`;
  if (sandbox.kind === 'docker') {
    const { image, memoryMiB } = sandbox.engine;
    return `containers of ${image}: own files, processes, IPC and network; at most ${memoryMiB} MiB; as ${user}`;
  }
  return sandbox.kind === 'bubblewrap'
    ? `bubblewrap: own files, processes and IPC; shared network; as ${user}`
    : `none: bubblewrap does not work here; as ${user}`;
}

/**
 * The command line that runs `command` in the sandbox. Secrets are in neither: they travel in files. Without bubblewrap
 * nothing can be shown elsewhere than where it is: whoever asks for it copies.
 */
export function sandboxArgv(sandbox: HostSandbox, command: SandboxCommand): readonly string[] {
  const asUser =
    sandbox.uid === null
      ? []
      : [
          'setpriv',
          `--reuid=${sandbox.uid}`,
          `--regid=${sandbox.uid}`,
          '--clear-groups',
          '--no-new-privs',
          '--',
        ];
  const inner = [...asUser, 'bash', '-c', command.script, 'bash', ...command.args];
  if (sandbox.kind === 'none') return inner;
  const caps = sandbox.uid === null ? [] : ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID'];
  return [
    'bwrap',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--die-with-parent',
    ...caps,
    ...SYSTEM_FOLDERS.flatMap(bindSystem),
    ...resolverFile(),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    '--perms',
    '1777',
    '--tmpfs',
    '/tmp',
    '--perms',
    '1777',
    '--tmpfs',
    '/var/tmp',
    // bubblewrap makes missing parents for its own eyes only; the build's user must pass through them.
    ...parents([...command.readable, ...command.writable]).flatMap((path) => [
      '--perms',
      '0755',
      '--dir',
      path,
    ]),
    ...command.readable.flatMap((path) => ['--ro-bind', path, path]),
    ...command.writable.flatMap((path) => ['--bind', path, path]),
    ...command.shown.flatMap(({ from, at }) => ['--ro-bind', from, at]),
    '--',
    ...inner,
  ];
}

function bindSystem(path: string): readonly string[] {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  return found.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}

/** Names resolve inside too where /etc/resolv.conf is a link into /run. */
function resolverFile(): readonly string[] {
  const path = '/etc/resolv.conf';
  if (!existsSync(path)) return [];
  const target = realpathSync(path);
  return target.startsWith('/etc/') ? [] : ['--ro-bind', target, target];
}

/** Every folder above these paths, outermost first. */
function parents(paths: readonly string[]): readonly string[] {
  const all = new Set<string>();
  for (const path of paths) {
    const chain: string[] = [];
    for (let up = dirname(path); up !== '/'; up = dirname(up)) chain.unshift(up);
    for (const folder of chain) all.add(folder);
  }
  // What a system folder already shows cannot, and need not, be made.
  return [...all].filter(
    (path) => !SYSTEM_FOLDERS.some((folder) => path === folder || path.startsWith(`${folder}/`)),
  );
}
