import type { Duplex } from 'node:stream';
import { PlatformError, type ErrorRecord } from '../../src/errors.ts';
import type { AppId, DynoId, PeerId, ReleaseId } from '../../src/ids.ts';
import type { OneOff, OneOffRequest } from '../../src/shell/host.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { toErrorRecord } from '../lib/peer-call.ts';
import type { Tasks } from '../lib/tasks.ts';

const SERVICE = 'one-off';
/** The slug may have to be fetched first. */
const START_MS = 150_000;
const HEAD_BYTES_MAX = 1024 * 1024;

export type RemoteRequest = {
  readonly app: AppId;
  readonly release: ReleaseId;
  readonly size: string;
  readonly request: OneOffRequest;
};

type Reply =
  | { readonly ok: true; readonly dyno: DynoId; readonly name: string; readonly release: ReleaseId }
  | { readonly ok: false; readonly error: ErrorRecord };

/** Has another peer run it. The channel carries one line each way, then, where attached, the attach frames. */
export async function startRemotely(mesh: Mesh, peer: PeerId, request: RemoteRequest): Promise<OneOff> {
  const channel = await mesh.open(peer, SERVICE, AbortSignal.timeout(START_MS));
  channel.write(`${JSON.stringify(request)}\n`);
  const reply = (await readHead(channel)) as Reply;
  if (!reply.ok) {
    channel.destroy();
    throw PlatformError.fromRecord(reply.error);
  }
  const { dyno, name, release } = reply;
  const isAttached = request.request.attach !== null;
  if (!isAttached) channel.destroy();
  return { dyno, name, peer, release, attach: isAttached ? channel : null };
}

export function serveOneOffs(
  mesh: Mesh,
  tasks: Tasks,
  start: (request: RemoteRequest) => Promise<OneOff>,
): void {
  mesh.serve(SERVICE, (channel) => {
    tasks.run('one-off for a peer', async () => {
      let reply: Reply;
      let attach: Duplex | null = null;
      try {
        const made = await start((await readHead(channel)) as RemoteRequest);
        attach = made.attach;
        reply = { ok: true, dyno: made.dyno, name: made.name, release: made.release };
      } catch (error) {
        reply = { ok: false, error: toErrorRecord(error) };
      }
      channel.write(`${JSON.stringify(reply)}\n`);
      if (attach === null) channel.end();
      else join(channel, attach);
    });
  });
}

/** Two byte streams as one; either end's failure takes the other down. */
export function join(a: Duplex, b: Duplex): void {
  a.pipe(b);
  b.pipe(a);
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!to.writableEnded) to.destroy();
    });
  }
}

/** The first line as JSON; what follows stays in the stream. */
function readHead(channel: Duplex): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      stop();
      reject(new PlatformError('unavailable', 'The other peer went away before it had answered', { cause }));
    };
    const timer = setTimeout(() => fail(), START_MS);
    let held = Buffer.alloc(0);
    const onReadable = (): void => {
      for (
        let chunk = channel.read() as Buffer | null;
        chunk !== null;
        chunk = channel.read() as Buffer | null
      ) {
        held = Buffer.concat([held, chunk]);
        const end = held.indexOf(10);
        if (end === -1 && held.length <= HEAD_BYTES_MAX) continue;
        stop();
        if (end === -1) {
          fail();
          return;
        }
        if (end + 1 < held.length) channel.unshift(held.subarray(end + 1));
        resolve(JSON.parse(held.subarray(0, end).toString('utf8')));
        return;
      }
    };
    const stop = (): void => {
      clearTimeout(timer);
      channel.off('readable', onReadable).off('error', fail).off('close', fail);
    };
    channel.on('readable', onReadable).on('error', fail).on('close', fail);
  });
}
