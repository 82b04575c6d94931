/** Where a container finds its config vars and command: a file of the host that only the dyno's container shows. */
export const LAUNCH_PATH = '/run/kith-launch';

/** User and group of all dynos in containers: the stack's `dyno`. No ordinary host gives it to anybody. */
export const DYNO_UID = 61_000;

/**
 * What runs first in a dyno, as Heroku does it, and as the process driver does it: config vars, `.profile.d/*.sh`,
 * `.profile`, then the command in its own `bash -c`. Config vars and command come from a file, so that neither shows in an
 * argv, nor in `docker inspect`; a command that runs beside the dyno's own has its words in KITH_EXEC. stderr
 * is joined to stdout, so that lines keep their order. Arguments: rows and columns of the terminal, or 0.
 */
const WRAPPER = `
KITH_MORE=$KITH_EXEC
unset KITH_EXEC
exec 4<${LAUNCH_PATH}
while IFS= read -r -d '' <&4; do export "$REPLY" 2>/dev/null; done
KITH_COMMAND=$REPLY
if [ -n "$KITH_MORE" ]; then
  exec 4< <(base64 -d <<<"$KITH_MORE")
  while IFS= read -r -d '' <&4; do export "$REPLY" 2>/dev/null; done
  KITH_COMMAND=$REPLY
fi
exec 4<&-
exec 2>&1
[ "$1" = 0 ] || stty rows "$1" cols "$2" 2>/dev/null
cd "$HOME" || exit
for KITH_FILE in "$HOME"/.profile.d/*.sh "$HOME"/.profile; do
  [ -f "$KITH_FILE" ] && . "$KITH_FILE"
done
unset KITH_FILE KITH_MORE OLDPWD
exec "$BASH" -c "$KITH_COMMAND"
`;

export type WrapperOptions = {
  readonly tty: null | { readonly columns: number; readonly rows: number };
};

export function wrapperArgv({ tty }: WrapperOptions): string[] {
  const size = tty === null ? ['0', '0'] : [String(tty.rows), String(tty.columns)];
  return ['/bin/bash', '-c', WRAPPER, 'bash', ...size];
}

/** What the launch file holds. Neither names nor values can hold a NUL. */
export function launchText(env: Readonly<Record<string, string>>, command: string): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}\0`)
    .join('')
    .concat(command);
}

/** Environment of a command that runs beside the dyno's own. */
export function execEnv(env: Readonly<Record<string, string>>, command: string): string[] {
  return [`KITH_EXEC=${Buffer.from(launchText(env, command)).toString('base64')}`];
}
