import type { Duplex, Readable } from 'node:stream';
import { z } from 'zod';
import type { AppId, DynoId, PeerId } from '../../src/ids.ts';
import type { UserEmail } from '../../src/ledger/values.ts';
import { dynoExec, PATH_CHARS_MAX } from '../../src/platform/endpoints/dynos.ts';
import type { DynoPlace } from '../../src/shell/host.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { ExecSpec } from '../../src/shell/runtime.ts';
import type { Tasks } from '../lib/tasks.ts';
import type { Inside } from './inside.ts';
import { ask, openChannel, serveSessions } from './sessions.ts';
import { idShape, ttyShape } from './shapes.ts';

const EXEC = 'exec';
const COPY = 'copy';
const ANSWER_MS = 30_000;

const placeShape = z.object({
  app: idShape<AppId>(),
  dyno: idShape<DynoId>(),
  name: z.string().max(200),
  peer: idShape<PeerId>(),
});
const execShape = z.object({
  place: placeShape,
  spec: z.object({
    command: dynoExec.shape.command,
    env: z.record(z.string(), z.string()),
    tty: ttyShape,
  }),
  user: z.string().max(320),
});
const copyShape = z.object({
  place: placeShape,
  path: z.string().min(1).max(PATH_CHARS_MAX),
  user: z.string().max(320),
});
const nothing = z.object({});

/** Has the dyno's peer run a command inside it. */
export async function execRemotely(
  mesh: Pick<Mesh, 'open'>,
  place: DynoPlace,
  spec: ExecSpec,
  user: UserEmail,
): Promise<Duplex> {
  const channel = await openChannel(mesh, place.peer, EXEC);
  await ask(channel, { place, spec, user }, nothing, ANSWER_MS);
  return channel;
}

/** Has the dyno's peer send a file or folder of it. */
export async function copyRemotely(
  mesh: Pick<Mesh, 'open'>,
  place: DynoPlace,
  path: string,
  user: UserEmail,
): Promise<Readable> {
  const channel = await openChannel(mesh, place.peer, COPY);
  await ask(channel, { place, path, user }, nothing, ANSWER_MS);
  // Nothing goes that way: with both ends closed the channel is done when it has been read.
  channel.end();
  return channel;
}

export function serveInside(mesh: Pick<Mesh, 'serve'>, tasks: Tasks, inside: Inside): void {
  serveSessions(mesh, tasks, EXEC, execShape, async ({ place, spec, user }) => ({
    value: {},
    both: await inside.exec(place, spec, user),
  }));
  serveSessions(mesh, tasks, COPY, copyShape, async ({ place, path, user }) => ({
    value: {},
    out: await inside.copyOut(place, path, user),
  }));
}
