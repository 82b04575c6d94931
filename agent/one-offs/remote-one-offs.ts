import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, DynoId, PeerId, ReleaseId } from '../../src/ids.ts';
import { PROCESS_TYPE_PATTERN } from '../../src/ids.ts';
import { dynoCreate, TTL_SECONDS_MAX } from '../../src/platform/endpoints/dynos.ts';
import type { OneOff, OneOffRequest } from '../../src/shell/host.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { Tasks } from '../lib/tasks.ts';
import { ask, openChannel, PeerAway, serveSessions } from './sessions.ts';
import { idShape, ttyShape } from './shapes.ts';

const SERVICE = 'one-off';
/** The slug may have to be fetched first. */
const START_MS = 150_000;

export type RemoteRequest = {
  readonly app: AppId;
  readonly release: ReleaseId;
  readonly size: string;
  readonly request: OneOffRequest;
};

/** What another peer may ask for: no more than a client may. */
const requestShape = z.object({
  app: idShape<AppId>(),
  release: idShape<ReleaseId>(),
  size: dynoCreate.shape.size.unwrap().unwrap(),
  request: z.object({
    app: idShape<AppId>(),
    dyno: idShape<DynoId>().exactOptional(),
    command: dynoCreate.shape.command,
    env: z.record(z.string(), z.string()),
    size: z.string().nullable(),
    attach: z.object({ tty: ttyShape }).nullable(),
    type: z.string().regex(PROCESS_TYPE_PATTERN).exactOptional(),
    ttlMs: z
      .int()
      .min(1)
      .max(TTL_SECONDS_MAX * 1_000)
      .exactOptional(),
  }),
}) satisfies z.ZodType<RemoteRequest>;
const madeShape = z.object({ dyno: idShape<DynoId>(), name: z.string(), release: idShape<ReleaseId>() });

/**
 * Has the first of these peers that can be reached run it; `here` does so on this one. Once one was asked, no other is:
 * it may have started.
 */
export async function startOnFirst(
  mesh: Pick<Mesh, 'open' | 'self'>,
  peers: readonly PeerId[],
  request: RemoteRequest,
  here: () => Promise<OneOff>,
): Promise<OneOff> {
  let reason: unknown = new PlatformError('no_capacity', 'Cannot run this: no peer can take it');
  for (const peer of peers) {
    if (peer === mesh.self) return here();
    try {
      return await startOver(await openChannel(mesh, peer, SERVICE), peer, request);
    } catch (error) {
      if (!(error instanceof PeerAway)) throw error;
      reason = error;
    }
  }
  throw reason;
}

/** Where attached, the channel goes on to carry the attach frames. */
async function startOver(channel: Duplex, peer: PeerId, request: RemoteRequest): Promise<OneOff> {
  const made = await ask(channel, request, madeShape, START_MS);
  const isAttached = request.request.attach !== null;
  if (!isAttached) channel.destroy();
  return { ...made, peer, attach: isAttached ? channel : null };
}

export function serveOneOffs(
  mesh: Pick<Mesh, 'serve'>,
  tasks: Tasks,
  start: (request: RemoteRequest) => Promise<OneOff>,
): void {
  serveSessions(mesh, tasks, SERVICE, requestShape, async (request) => {
    const { dyno, name, release, attach } = await start(request);
    return { value: { dyno, name, release }, both: attach };
  });
}
