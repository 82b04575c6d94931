/**
 * What runs first in a dyno, as Heroku does it: config vars, `.profile.d/*.sh`, `.profile`, then the command in its own
 * `bash -c`. Config vars and command come on descriptor 4, so that neither shows in an argv, and so that nothing which
 * runs before this (bubblewrap, setpriv, perhaps as root) can be misled by a config var like LD_PRELOAD. A byte on
 * descriptor 3 says that it got this far. All other descriptors are closed: the keeper's terminals are not born with
 * close-on-exec, and no dyno may hold another's. The first argument bounds the dyno's processes, when it has a user of its own;
 * the second tells whether to read the profiles.
 */
const WRAPPER = `
for KITH_FD in /proc/self/fd/*; do
  KITH_FD=\${KITH_FD##*/}
  [ "$KITH_FD" -gt 4 ] && eval "exec $KITH_FD>&-"
done
while IFS= read -r -d '' <&4; do export "$REPLY" 2>/dev/null; done
KITH_COMMAND=$REPLY
exec 4<&-
ulimit -c 0
ulimit -n 10000 2>/dev/null
[ "$1" = 0 ] || ulimit -u "$1" 2>/dev/null
{ printf 500 >/proc/self/oom_score_adj; } 2>/dev/null
cd "$HOME" || exit
printf . >&3
exec 3>&-
if [ "$2" = profiles ]; then
  for KITH_FILE in "$HOME"/.profile.d/*.sh "$HOME"/.profile; do
    [ -f "$KITH_FILE" ] && . "$KITH_FILE"
  done
fi
unset KITH_FD KITH_FILE OLDPWD
exec "$BASH" -c "$KITH_COMMAND"
`;

/** What the wrapper reads on descriptor 4. Neither names nor values can hold a NUL. */
export function wrapperInput(env: Readonly<Record<string, string>>, command: string): string {
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
  return pairs.join('') + command;
}

/** @param processesMax null for no bound */
export function wrapperArgv(
  processesMax: number | null,
  profiles: 'profiles' | 'bare' = 'profiles',
): [string, ...string[]] {
  return ['/bin/bash', '-c', WRAPPER, 'bash', String(processesMax ?? 0), profiles];
}
