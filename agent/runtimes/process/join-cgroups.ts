import type { CgroupFiles } from '../keeper/protocol.ts';

/** A shell that moves itself into the groups, then becomes the command: so nothing of it is ever outside. */
const JOIN = `
while [ "$1" != -- ]; do
  echo 0 >"$1" || exit 1
  shift
done
shift
exec "$@"
`;

/** What goes before a command that is to run in the groups. */
export function joinCgroups(cgroup: CgroupFiles | null): string[] {
  return cgroup === null ? [] : ['/bin/sh', '-c', JOIN, 'sh', ...cgroup.procs, '--'];
}
