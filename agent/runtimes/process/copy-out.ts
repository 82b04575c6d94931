import { Readable } from 'node:stream';
import { PlatformError } from '../../../src/errors.ts';
import type { ExecSession } from '../../../src/shell/runtime.ts';

/** Environment variable that tells the path to the command: nothing of it is read as shell. */
export const COPY_PATH = 'KITH_COPY_PATH';

const MISSING = 66;
/** tar's: some file changed while it was read. */
const CHANGED = 1;

/** Packs by the last part of the path, in the dyno and as its user: `/app` is home, and so is where relative paths begin. */
export const COPY_COMMAND = `
case $${COPY_PATH} in
  /app) ${COPY_PATH}=$HOME ;;
  /app/*) ${COPY_PATH}=$HOME/\${${COPY_PATH}#/app/} ;;
  /*) ;;
  *) ${COPY_PATH}=$HOME/$${COPY_PATH} ;;
esac
[ -e "$${COPY_PATH}" ] || [ -L "$${COPY_PATH}" ] || exit ${MISSING}
# The folder above home may be closed to the dyno.
[ "$${COPY_PATH}" -ef "$HOME" ] && [ ! -L "$${COPY_PATH}" ] && exec tar -c -C "$HOME" --transform='s,^\\.,app,S' . 2>/dev/null
exec tar -c -C "$(dirname -- "$${COPY_PATH}")" -- "$(basename -- "$${COPY_PATH}")" 2>/dev/null
`;

/** The tar stream of a session of `COPY_COMMAND`. Rejects with `not_found` before the first byte; a later failure ends it. */
export async function tarStream(session: ExecSession, dyno: string, path: string): Promise<Readable> {
  const { stdio, ended } = session;
  stdio.end();
  const chunks = stdio[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  if (first.done === true) throw await failure(ended, dyno, path);
  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      for (let chunk = first; chunk.done !== true; chunk = await chunks.next()) yield chunk.value;
      const { status } = await ended;
      if (status !== 0 && status !== CHANGED) throw await failure(ended, dyno, path);
    } finally {
      stdio.destroy();
    }
  }
  return Readable.from(bytes(), { objectMode: false });
}

async function failure(ended: ExecSession['ended'], dyno: string, path: string): Promise<PlatformError> {
  const { status, signal } = await ended;
  if (status === MISSING) {
    return new PlatformError(
      'not_found',
      `Cannot copy "${path}" out of dyno "${dyno}": there is no such file`,
      {
        resource: 'file',
      },
    );
  }
  const how = signal ?? `status ${status}`;
  return new PlatformError('internal', `Cannot copy "${path}" out of dyno "${dyno}": tar ended with ${how}`);
}
