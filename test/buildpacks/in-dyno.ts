import type { SpawnOptions } from 'node:child_process';

const START = 'for file in .profile.d/*.sh; do [ -f "$file" ] && . "$file"; done; exec bash -c "$1"';

/** Arguments for `spawn` that run a command in an unpacked slug as a dyno does, with nothing else on its path. */
export function inDyno(
  root: string,
  command: string,
  env: Readonly<Record<string, string>>,
): [string, string[], SpawnOptions] {
  return [
    '/bin/bash',
    ['-c', START, 'bash', command],
    {
      cwd: root,
      env: { PATH: '/usr/bin:/bin', HOME: root, DYNO: 'web.1', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  ];
}
