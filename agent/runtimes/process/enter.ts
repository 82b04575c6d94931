import { existsSync } from 'node:fs';
import { listProcesses } from '../keeper/process-tree.ts';
import type { CgroupFiles, DynoRecord, Launch } from '../keeper/protocol.ts';
import type { DynoFiles } from './dyno-files.ts';
import { joinCgroups } from './join-cgroups.ts';
import { changeUser } from './users.ts';
import { wrapperArgv } from './wrapper.ts';

/** What a command needs, once inside, to have no right that the dyno does not have. */
const DROP_ALL = ['--bounding-set=-all', '--no-new-privs'];

/**
 * bubblewrap without root puts a dyno into two nested user namespaces, and its files and processes belong to the outer
 * one, which no process is in any more: only the kernel can tell it (ioctl NS_GET_PARENT), and Perl can ask.
 */
const ENTER_OUTER_USER_NAMESPACE = `
my ($pid, @enter) = @ARGV;
open(my $own, '<', "/proc/$pid/ns/user") or die "$!\\n";
my $outer = ioctl($own, 0xb702, 0) or die "$!\\n";
open(my $kept, '<&=', $outer) or die "$!\\n";
fcntl($kept, 2, 0);
exec('nsenter', "--target=$pid", "--user=/proc/self/fd/$outer", @enter) or die "$!\\n";
`;

type Options = {
  readonly record: DynoRecord;
  readonly files: DynoFiles;
  readonly cgroup: CgroupFiles | null;
  readonly tty: boolean;
  /** The dyno's own bound, which holds for user or namespace; null for none. */
  readonly processesMax: number | null;
  readonly profiles: 'profiles' | 'bare';
};

/**
 * How a command gets where a running dyno is, and becomes its user. In its namespaces nothing but what the dyno itself
 * sees can be reached: whatever it made of its files, links of it lead nowhere else.
 * @returns null when the dyno has just ended
 */
export function enterDyno(options: Options): Pick<Launch, 'argv' | 'cwd' | 'env' | 'uid'> | null {
  const { record, files, cgroup, tty, processesMax, profiles } = options;
  const { ownUid, containment } = record;
  const wrapper = wrapperArgv(processesMax, profiles);
  const terminal = tty ? ['/usr/bin/setsid', '--ctty'] : [];
  if (containment.tag === 'marker') {
    const separator = containment.marker.indexOf('=');
    const [name, value] = [containment.marker.slice(0, separator), containment.marker.slice(separator + 1)];
    const user = cgroup === null ? [] : changeUser(ownUid);
    return {
      argv: asArgv([...terminal, ...joinCgroups(cgroup), ...user, ...wrapper]),
      cwd: files.app,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', [name]: value },
      uid: cgroup === null ? ownUid : null,
    };
  }
  // The first process of the namespace is the child of bubblewrap's outer one.
  const init = listProcesses().find((process) => process.parent === record.pid)?.pid;
  if (init === undefined) return null;
  const user = ownUid === null ? dropRights() : changeUser(ownUid, DROP_ALL);
  return {
    argv: asArgv([
      ...joinCgroups(cgroup),
      ...enterNamespaces(init, ownUid),
      ...terminal,
      ...user,
      ...wrapper,
    ]),
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    uid: null,
  };
}

function enterNamespaces(init: number, ownUid: number | null): string[] {
  const kinds = ['--mount', '--pid', '--ipc', '--uts'];
  if (ownUid !== null) {
    const cgroup = existsSync(`/proc/${init}/ns/cgroup`) ? ['--cgroup'] : [];
    return ['nsenter', '--target', String(init), ...kinds, ...cgroup, '--'];
  }
  const outer = ['perl', '-e', ENTER_OUTER_USER_NAMESPACE, String(init), '--preserve-credentials', ...kinds];
  const inner = ['/usr/bin/nsenter', '--target', '1', '--user', '--preserve-credentials', '--'];
  return [...outer, '--', ...inner];
}

/** For a user that is the agent's own: outside it has no more rights than that, and keeps none inside. */
function dropRights(): string[] {
  return ['/usr/bin/setpriv', '--inh-caps=-all', ...DROP_ALL, '--'];
}

function asArgv(words: readonly string[]): Launch['argv'] {
  const [file, ...args] = words;
  if (file === undefined) throw new Error('A command has at least one word');
  return [file, ...args];
}
