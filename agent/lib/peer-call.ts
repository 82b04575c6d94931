import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { ERROR_CODES, PlatformError, type ErrorCode, type ErrorRecord } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import { onJsonLines, sendJson } from './json-lines.ts';

/** Requests and answers between agents are small; what is large has a service of its own. */
const LINE_BYTES_MAX = 1024 * 1024;
/** Who opens a channel has its question ready. */
const REQUEST_MS = 10_000;

const errorCodes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];
/** A PlatformError as one peer tells it to another. */
export const errorRecordShape = z
  .object({
    code: z.enum(errorCodes),
    message: z.string(),
    hint: z.string().optional(),
    resource: z.string().optional(),
  })
  .transform(({ code, message, hint, resource }): ErrorRecord => ({
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(resource === undefined ? {} : { resource }),
  }));
const replyShape = z.union([
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), error: errorRecordShape }),
]);
type Reply = z.infer<typeof replyShape>;

/**
 * Asks a service of another peer one question. Rejects with its PlatformError, or `unavailable`/`timeout`, and as soon as
 * `until` aborts.
 */
export async function callPeer(
  mesh: Pick<Mesh, 'open'>,
  peer: PeerId,
  service: string,
  request: unknown,
  withinMs: number,
  until?: AbortSignal,
): Promise<unknown> {
  const deadline = AbortSignal.timeout(withinMs);
  const signal = until === undefined ? deadline : AbortSignal.any([deadline, until]);
  const channel = await openChannel(mesh, peer, service, signal);
  try {
    return await new Promise((resolve, reject) => {
      const fail = (cause?: unknown): void =>
        reject(new PlatformError('unavailable', `Peer "${peer}" did not answer "${service}"`, { cause }));
      signal.addEventListener('abort', () => fail(signal.reason), { once: true });
      channel.once('error', fail);
      channel.once('close', () => fail());
      onJsonLines(
        channel,
        (value) => {
          const reply = replyShape.safeParse(value);
          if (reply.success) settle(reply.data, resolve, reject);
          else fail(reply.error);
        },
        LINE_BYTES_MAX,
      );
      sendJson(channel, request);
    });
  } finally {
    channel.destroy();
  }
}

function settle(reply: Reply, resolve: (value: unknown) => void, reject: (error: Error) => void): void {
  if (reply.ok) resolve(reply.value);
  else reject(PlatformError.fromRecord(reply.error));
}

async function openChannel(
  mesh: Pick<Mesh, 'open'>,
  peer: PeerId,
  service: string,
  signal: AbortSignal,
): Promise<Duplex> {
  try {
    return await mesh.open(peer, service, signal);
  } catch (cause) {
    throw new PlatformError('unavailable', `Cannot reach peer "${peer}" for "${service}"`, {
      hint: 'See `kith peers`',
      cause,
    });
  }
}

/** Answers one question on each channel of another peer; what the handler throws becomes its error. */
export function serveCalls(
  mesh: Pick<Mesh, 'serve'>,
  service: string,
  handler: (request: unknown, from: PeerId) => Promise<unknown>,
): void {
  mesh.serve(service, (channel, from) => {
    channel.on('error', () => channel.destroy());
    const late = setTimeout(() => channel.destroy(), REQUEST_MS);
    channel.once('close', () => clearTimeout(late));
    let isAsked = false;
    const answer = async (request: unknown): Promise<void> => {
      let reply: Reply;
      try {
        reply = { ok: true, value: (await handler(request, from)) ?? null };
      } catch (error) {
        reply = { ok: false, error: toErrorRecord(error) };
      }
      if (!channel.destroyed) channel.end(`${JSON.stringify(reply)}\n`);
    };
    onJsonLines(
      channel,
      (request) => {
        clearTimeout(late);
        if (!isAsked) void answer(request);
        isAsked = true;
      },
      LINE_BYTES_MAX,
    );
  });
}

/** What may be told of an error: a PlatformError as it is, anything else without its inside. */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (error instanceof PlatformError) return error.toRecord();
  return { code: 'internal', message: 'The peer failed to answer', hint: 'See its log' };
}
