import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Container } from 'dockerode';
import { PlatformError } from '../../../src/errors.ts';
import type { Tasks } from '../../lib/tasks.ts';
import { engineError, statusOf, within } from '../../lib/engine.ts';
import { runIn } from './exec.ts';

const BEGIN_MS_MAX = 30_000;
const MISSING = 44;

/**
 * `tar` as the dyno's own user, in its own view of the files: it sees what the dyno sees, /tmp too, and a symbolic link
 * leads nowhere that the dyno could not go.
 */
const SCRIPT = `
[ -e "$KITH_PATH" ] || [ -L "$KITH_PATH" ] || exit ${MISSING}
case $KITH_PATH in */) KITH_PATH=\${KITH_PATH%/} ;; esac
cd -- "$(dirname -- "$KITH_PATH")" && exec tar -c --ignore-failed-read -f - -- "$(basename -- "$KITH_PATH")" 2>/dev/null
`;

type Dyno = { readonly container: Container; readonly name: string; readonly isSlug: boolean };

/** A file or folder of a running dyno as a tar stream; relative paths begin at `/app`. */
export async function copyOutOf(dyno: Dyno, path: string, tasks: Tasks): Promise<Readable> {
  return dyno.isSlug ? await throughTar(dyno, path, tasks) : await throughEngine(dyno, path);
}

async function throughTar(dyno: Dyno, path: string, tasks: Tasks): Promise<Readable> {
  const program = { Cmd: ['/bin/bash', '-c', SCRIPT], Env: [`KITH_PATH=${path}`], WorkingDir: '/app' };
  const session = await runIn(dyno, program, false, tasks);
  const { stdio } = session;
  stdio.end();
  await Promise.race([once(stdio, 'readable'), session.ended]);
  if (stdio.readableLength > 0) return stdio;
  const { status } = await session.ended;
  stdio.destroy();
  throw status === MISSING
    ? missing(dyno, path)
    : new PlatformError(
        'internal',
        `Cannot copy "${path}" of "${dyno.name}": tar ended with status ${status}`,
      );
}

/** An image need not hold `tar`. The Engine reads its files itself, in the container's root: links stay inside. */
async function throughEngine(dyno: Dyno, path: string): Promise<Readable> {
  try {
    const archive = dyno.container.getArchive({ path });
    return (await within(BEGIN_MS_MAX, 'to copy files', archive)) as Readable;
  } catch (cause) {
    if (statusOf(cause) === 404) throw missing(dyno, path);
    throw engineError(`Cannot copy "${path}" of "${dyno.name}"`, cause);
  }
}

function missing(dyno: Dyno, path: string): PlatformError {
  return new PlatformError('not_found', `Cannot copy "${path}" of "${dyno.name}": there is no such file`, {
    resource: 'file',
  });
}
