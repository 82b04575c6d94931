import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dynoFiles, makeDynoFiles, removeDynoFiles } from './dyno-files.ts';
import { joinCgroups } from './join-cgroups.ts';
import type { ConfineOptions, Confinement } from './confinement.ts';
import { changeUser } from './users.ts';
import { wrapperArgv } from './wrapper.ts';

const PROBE_MS_MAX = 10_000;
/** `nobody`: any user but root shows whether changing works. */
const PROBE_UID = 65_534;

/** Files of /etc without which a slug's programs cannot find hosts, certificates, libraries or the time zone. */
const ETC_FILES =
  'resolv.conf nsswitch.conf host.conf gai.conf services protocols mime.types ' +
  'ssl pki ca-certificates ca-certificates.conf crypto-policies ' +
  'ld.so.cache ld.so.conf ld.so.conf.d alternatives localtime timezone fonts magic';

/** As Engines have it. */
const SHM_BYTES = 64 * 1024 * 1024;

/** What differs between hosts. */
export type BubblewrapFeatures = {
  /** Whether /dev/shm can be bounded. */
  readonly sizedTmpfs: boolean;
  /** Whether the kernel counts the processes of a user namespace by themselves. */
  readonly countsProcesses: boolean;
};

export async function bubblewrapFeatures(): Promise<BubblewrapFeatures> {
  const help = await promisify(execFile)('bwrap', ['--help'], { timeout: PROBE_MS_MAX }).catch(() => null);
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return {
    sizedTmpfs: help?.stdout.includes('--size BYTES') === true,
    // Since Linux 5.14; before, RLIMIT_NPROC counted all that the user runs anywhere.
    countsProcesses: major > 5 || (major === 5 && minor >= 14),
  };
}

export function confineWithBubblewrap(options: ConfineOptions, features: BubblewrapFeatures): Confinement {
  const { uid, tty, processesMax, cgroup } = options;
  return {
    argv: [
      ...joinCgroups(cgroup),
      'bwrap',
      ...namespaceArgs(options, features),
      '--',
      ...(tty ? words('/usr/bin/setsid --ctty') : []),
      ...changeUser(uid),
      ...wrapperArgv(uid === null && !features.countsProcesses ? null : processesMax),
    ] as unknown as Confinement['argv'],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    uid: null,
    containment: { tag: 'namespace' },
    home: '/app',
    tmp: '/tmp',
  };
}

/** Why bubblewrap cannot be used here, found out by running it just as for a dyno; null when it works. */
export async function bubblewrapFailure(
  scratchDir: string,
  ownUsers: boolean,
  features: BubblewrapFeatures,
): Promise<string | null> {
  const files = dynoFiles(join(scratchDir, `probe-${randomUUID()}`));
  const uid = ownUsers ? PROBE_UID : null;
  try {
    await makeDynoFiles(files, { hostname: 'probe', uid });
    const options = {
      dyno: 'probe',
      files,
      uid,
      tty: false,
      processesMax: 0,
      owner: '',
      cgroup: null,
      volumes: [],
    };
    const args = [
      ...namespaceArgs(options, features),
      '--',
      ...changeUser(uid),
      '/bin/bash',
      '-c',
      'touch /app/x',
    ];
    await promisify(execFile)('bwrap', args, { timeout: PROBE_MS_MAX });
    return null;
  } catch (error) {
    const { stderr, code } = error as { stderr?: string; code?: unknown };
    return stderr?.trim() || (code === 'ENOENT' ? 'it is not installed' : String(error));
  } finally {
    await removeDynoFiles(files);
  }
}

/**
 * As root, bubblewrap keeps the two capabilities with which `setpriv` inside changes to the dyno's own user, and no user
 * namespace is needed; otherwise it makes one. Nothing of the agent's data, home or sockets is mounted.
 */
function namespaceArgs(
  { dyno, files, uid, volumes }: ConfineOptions,
  { sizedTmpfs }: BubblewrapFeatures,
): string[] {
  return [
    ...words(
      '--unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup-try --die-with-parent --new-session',
    ),
    '--hostname',
    dyno,
    ...(uid === null ? [] : words('--cap-drop ALL --cap-add CAP_SETUID --cap-add CAP_SETGID')),
    ...words('--ro-bind /usr /usr'),
    ...words('bin sbin lib lib32 lib64 libx32').flatMap(systemDir),
    ...words('--proc /proc --dev /dev --perms 1777'),
    ...(sizedTmpfs ? ['--size', String(SHM_BYTES)] : []),
    ...words('--tmpfs /dev/shm'),
    ...words('--dir /etc'),
    ...words(ETC_FILES).flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...words('passwd group hosts').flatMap((name) => ['--ro-bind', join(files.etc, name), `/etc/${name}`]),
    ...words('--dir /var --symlink /tmp /var/tmp --dir /run'),
    ...bind(files.tmp, '/tmp'),
    ...bind(files.app, '/app'),
    ...volumes.flatMap(({ source, path }) => bind(source, path)),
    // Not yet /app: root without capabilities may not enter a folder that is the dyno's alone.
    ...words('--chdir /'),
  ];
}

function words(text: string): string[] {
  return text.split(' ');
}

function bind(source: string, dest: string): string[] {
  return ['--bind', source, dest];
}

/** /bin and its like are links into /usr on most systems, and folders on others. */
function systemDir(name: string): string[] {
  const path = `/${name}`;
  if (!existsSync(path)) return [];
  const isLink = lstatSync(path).isSymbolicLink();
  return isLink ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}
