import { pipeline, type Duplex, type Readable } from 'node:stream';
import { z } from 'zod';
import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { errorRecordShape, toErrorRecord } from '../lib/peer-call.ts';
import type { Tasks } from '../lib/tasks.ts';

/** A peer that cannot be reached by now is away. */
const OPEN_MS = 10_000;
/** Who opens a channel has its request ready. */
const REQUEST_MS = 10_000;
const HEAD_BYTES_MAX = 1024 * 1024;

const refusalShape = z.object({ ok: z.literal(false), error: errorRecordShape });

/** What a peer answers with: a record, and the bytes that follow it, both ways or out. */
export type Served = { readonly value: object; readonly both?: Duplex | null; readonly out?: Readable };

/** It cannot be reached: nothing was asked of it. */
export class PeerAway extends PlatformError {}

/** A channel to a service of another peer; rejects PeerAway. */
export async function openChannel(mesh: Pick<Mesh, 'open'>, peer: PeerId, service: string): Promise<Duplex> {
  try {
    return await mesh.open(peer, service, AbortSignal.timeout(OPEN_MS));
  } catch (cause) {
    throw new PeerAway('unavailable', `Cannot reach peer "${peer}" just now`, {
      hint: 'See `kith peers`, and try again in a moment',
      cause,
    });
  }
}

/**
 * Asks for a session: one line each way, after which the channel carries bytes.
 * @returns the other peer's record; what it refused with is thrown, and the channel destroyed
 */
export async function ask<T>(
  channel: Duplex,
  request: unknown,
  shape: z.ZodType<T>,
  withinMs: number,
): Promise<T> {
  channel.write(`${JSON.stringify(request)}\n`);
  try {
    const reply = await readHead(channel, withinMs);
    const refusal = refusalShape.safeParse(reply);
    if (refusal.success) throw PlatformError.fromRecord(refusal.data.error);
    const accepted = shape.safeParse(reply);
    if (accepted.success && Object(reply).ok === true) return accepted.data;
    throw new PlatformError(
      'unavailable',
      'The other peer answered with something that makes no sense here',
      {
        hint: 'Its agent may be of another version: see `kith peers`',
        cause: accepted.error,
      },
    );
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

/** Answers requests for sessions; what the handler throws is the refusal. */
export function serveSessions<T>(
  mesh: Pick<Mesh, 'serve'>,
  tasks: Tasks,
  service: string,
  shape: z.ZodType<T>,
  handler: (request: T) => Promise<Served>,
): void {
  const answer = async (channel: Duplex): Promise<void> => {
    let reply: object;
    let served: Served = { value: {} };
    try {
      const request = shape.safeParse(await readHead(channel, REQUEST_MS));
      if (!request.success)
        throw new PlatformError('bad_request', `Cannot serve "${service}": it is no request`);
      served = await handler(request.data);
      reply = { ok: true, ...served.value };
    } catch (error) {
      reply = { ok: false, error: toErrorRecord(error) };
    }
    if (channel.destroyed) {
      // Whoever asked is gone: nobody would ever end what was started.
      served.both?.destroy();
      served.out?.destroy();
      return;
    }
    channel.write(`${JSON.stringify(reply)}\n`);
    if (served.both != null) join(channel, served.both);
    else if (served.out !== undefined) send(served.out, channel);
    else channel.end();
  };
  mesh.serve(service, (channel) => {
    channel.on('error', () => channel.destroy());
    tasks.run(service, () => answer(channel));
  });
}

/** One way only: a failure of either destroys the other, so that what is cut off does not look whole. */
function send(from: Readable, channel: Duplex): void {
  channel.resume();
  // Whose failure it was matters to nobody here: the reader sees a channel that broke.
  pipeline(from, channel, () => channel.destroy());
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
