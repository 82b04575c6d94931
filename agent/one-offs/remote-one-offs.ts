import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { AppId, DynoId, PeerId, ReleaseId } from '../../src/ids.ts';
import { dynoCreateSchema } from '../../src/platform/schemas.ts';
import type { OneOff, OneOffRequest } from '../../src/shell/host.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { errorRecordShape, toErrorRecord } from '../lib/peer-call.ts';
import type { Tasks } from '../lib/tasks.ts';

const SERVICE = 'one-off';
/** The slug may have to be fetched first. */
const START_MS = 150_000;
const REQUEST_MS = 10_000;
const HEAD_BYTES_MAX = 1024 * 1024;

export type RemoteRequest = {
  readonly app: AppId;
  readonly release: ReleaseId;
  readonly size: string;
  readonly request: OneOffRequest;
};

const id = <T extends string>() => z.string().min(1).max(200) as unknown as z.ZodType<T>;
const columns = z.int().min(1).max(10_000);
/** What another peer may ask for: no more than a client may. */
const requestShape: z.ZodType<RemoteRequest> = z.object({
  app: id<AppId>(),
  release: id<ReleaseId>(),
  size: dynoCreateSchema.shape.size.unwrap().unwrap(),
  request: z.object({
    app: id<AppId>(),
    command: dynoCreateSchema.shape.command,
    env: z.record(z.string(), z.string()),
    size: z.string().nullable(),
    attach: z
      .object({ tty: z.object({ columns, rows: columns, term: z.string().max(100) }).nullable() })
      .nullable(),
  }),
});
const replyShape = z.union([
  z.object({ ok: z.literal(true), dyno: id<DynoId>(), name: z.string(), release: id<ReleaseId>() }),
  z.object({ ok: z.literal(false), error: errorRecordShape }),
]);
type Reply = z.infer<typeof replyShape>;

/** Has another peer run it. The channel carries one line each way, then, where attached, the attach frames. */
export async function startRemotely(mesh: Mesh, peer: PeerId, request: RemoteRequest): Promise<OneOff> {
  const channel = await mesh.open(peer, SERVICE, AbortSignal.timeout(START_MS));
  channel.write(`${JSON.stringify(request)}\n`);
  const reply = await readReply(channel);
  if (!reply.ok) {
    channel.destroy();
    throw PlatformError.fromRecord(reply.error);
  }
  const { dyno, name, release } = reply;
  const isAttached = request.request.attach !== null;
  if (!isAttached) channel.destroy();
  return { dyno, name, peer, release, attach: isAttached ? channel : null };
}

async function readReply(channel: Duplex): Promise<Reply> {
  try {
    const reply = replyShape.safeParse(await readHead(channel, START_MS));
    if (reply.success) return reply.data;
    throw new PlatformError('unavailable', 'The other peer answered with something else than a dyno', {
      hint: 'Its agent may be of another version: see `kith peers`',
      cause: reply.error,
    });
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

export function serveOneOffs(
  mesh: Mesh,
  tasks: Tasks,
  start: (request: RemoteRequest) => Promise<OneOff>,
): void {
  mesh.serve(SERVICE, (channel) => {
    channel.on('error', () => channel.destroy());
    tasks.run('one-off for a peer', async () => {
      let reply: Reply;
      let attach: Duplex | null = null;
      try {
        const request = requestShape.safeParse(await readHead(channel, REQUEST_MS));
        if (!request.success) throw new PlatformError('bad_request', 'Cannot run this: it is no request');
        const made = await start(request.data);
        attach = made.attach;
        reply = { ok: true, dyno: made.dyno, name: made.name, release: made.release };
      } catch (error) {
        reply = { ok: false, error: toErrorRecord(error) };
      }
      if (channel.destroyed) {
        // Whoever asked is gone: nobody would ever end what was started.
        attach?.destroy();
        return;
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
function readHead(channel: Duplex, withinMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      stop();
      reject(new PlatformError('unavailable', 'The other peer went away before it had answered', { cause }));
    };
    const timer = setTimeout(() => fail(), withinMs);
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
        try {
          resolve(JSON.parse(held.subarray(0, end).toString('utf8')));
        } catch (cause) {
          fail(cause);
        }
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
