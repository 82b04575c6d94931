import type { Duplex } from 'node:stream';
import * as cbor from '@ipld/dag-cbor';
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import type { Logger } from 'pino';
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import type { JoinGrant, JoinRequest } from '../../src/shell/mesh.ts';
import type { Tasks } from '../lib/tasks.ts';
import { abortQuietly } from './abort.ts';
import { Channel } from './channel.ts';
import type { Gate } from './gate.ts';
import type { Host } from './host.ts';
import { PROTOCOL } from './protocols.ts';

const REQUEST_BYTES_MAX = 4 * 1024;
/** A whole ledger: 100,000 ops are about 50 MB. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
const REQUEST_MS = 10_000;

const requestShape = z.object({ invite: z.string(), secret: z.string(), name: z.string() });
const errorCodes = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];
const answerShape = z.union([
  z.object({
    grant: z.object({
      cluster: z.string(),
      members: z.array(z.object({ peer: z.string(), addrs: z.array(z.string()) })),
      keys: z.record(z.string(), z.string()),
      ops: z.array(z.instanceof(Uint8Array)),
    }),
  }),
  z.object({
    refused: z.object({ code: z.enum(errorCodes), message: z.string(), hint: z.string().optional() }),
  }),
]);

export type JoinHandler = (request: JoinRequest) => Promise<JoinGrant>;

/** The member's side. Who asks is whoever the connection proved, never what the request says. */
export class JoinServer {
  readonly #tasks: Tasks;
  readonly #log: Logger;
  #handler: JoinHandler | null = null;

  constructor(tasks: Tasks, log: Logger) {
    this.#tasks = tasks;
    this.#log = log;
  }

  onJoin(handler: JoinHandler): void {
    this.#handler = handler;
  }

  /** The handler of the join protocol: strangers get here. */
  handleStream(stream: Stream, connection: Connection): void {
    const asked = connection.streams.filter(
      ({ protocol, direction }) => protocol === PROTOCOL.join && direction === 'inbound',
    );
    if (asked.length > 1) {
      abortQuietly(stream, 'One join request at a time');
      return;
    }
    const channel = new Channel(stream, () => channel.destroy());
    const peer = connection.remotePeer.toString() as PeerId;
    this.#tasks.run('answer a join request', () => this.#answer(channel, peer));
  }

  async #answer(channel: Duplex, peer: PeerId): Promise<void> {
    const deadline = setTimeout(() => channel.destroy(), REQUEST_MS).unref();
    try {
      const request = requestShape.parse(cbor.decode(await readAll(channel, REQUEST_BYTES_MAX)));
      clearTimeout(deadline);
      if (this.#handler === null) throw new PlatformError('unavailable', 'This peer admits nobody yet');
      const grant = await untilClosed(channel, this.#handler({ peer, ...request }));
      channel.end(cbor.encode({ grant }));
      this.#log.info({ peer }, 'peer admitted');
    } catch (err) {
      clearTimeout(deadline);
      if (err instanceof PlatformError) {
        this.#log.warn({ peer, reason: err.message }, 'join refused');
        const { code, message, hint } = err.toRecord();
        channel.end(cbor.encode({ refused: { code, message, ...(hint === undefined ? {} : { hint }) } }));
      } else {
        // Neither the request nor what went wrong with it is told: it may hold the secret.
        this.#log.warn({ peer, reason: err instanceof Error ? err.name : 'unknown' }, 'join request failed');
        channel.destroy();
      }
    }
  }
}

/**
 * The joiner's side: dials the member of the token and sends the secret only once the connection has proven that key.
 * Throws PlatformError: `bad_invite` and its like from the member, `unavailable` where none could be reached.
 */
export async function requestJoin(
  host: Host,
  gate: Gate,
  addrs: readonly string[],
  request: Omit<JoinRequest, 'peer'>,
  signal: AbortSignal,
): Promise<JoinGrant> {
  const targets = addrs.map(parseAddr);
  const [first] = targets;
  if (first === undefined)
    throw new PlatformError('bad_invite', 'The invite names no address', { hint: 'Ask for a new invite' });
  const member = first.peer;
  using _ = gate.allowDial(member);
  let connection: Connection | null = null;
  try {
    const own = targets.filter(({ peer }) => peer === member).map(({ addr }) => addr);
    connection = await host.dial(own, { signal, force: true });
    const stream = await connection.newStream(PROTOCOL.join, { signal });
    return await ask(stream, request, signal);
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw new PlatformError('unavailable', `Cannot join through "${member}": ${reasonOf(cause, signal)}`, {
      hint: `Is its agent running, and can this host reach ${addrs.join(' or ')}?`,
      cause,
    });
  } finally {
    if (connection !== null) abortQuietly(connection, 'The join is over');
  }
}

async function ask(
  stream: Stream,
  request: Omit<JoinRequest, 'peer'>,
  signal: AbortSignal,
): Promise<JoinGrant> {
  const channel = new Channel(stream, () => channel.destroy());
  const onAbort = (): void => {
    channel.destroy(new Error('Aborted'));
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { invite, secret, name } = request;
    channel.end(cbor.encode({ invite, secret, name }));
    const answer = answerShape.parse(cbor.decode(await readAll(channel, ANSWER_BYTES_MAX)));
    if ('refused' in answer) {
      const { code, message, hint } = answer.refused;
      throw new PlatformError(code, message, hint === undefined ? {} : { hint });
    }
    const { cluster, members, keys, ops } = answer.grant;
    return {
      cluster,
      members: members.map(({ peer, addrs }) => ({ peer: peer as PeerId, addrs })),
      keys,
      ops,
    };
  } finally {
    signal.removeEventListener('abort', onAbort);
    channel.destroy();
  }
}

function parseAddr(text: string): { readonly peer: string; readonly addr: Multiaddr } {
  try {
    const addr = multiaddr(text);
    const peer = addr.getComponents().findLast(({ name }) => name === 'p2p')?.value;
    if (peer !== undefined) return { peer, addr };
  } catch {
    // falls through: the same answer as for an address without a peer
  }
  throw new PlatformError('bad_invite', `The invite's address "${text}" names no peer`, {
    hint: 'Paste the whole token',
  });
}

/** The joiner may leave, or this peer stop, while the handler still waits for something. */
function untilClosed<T>(channel: Duplex, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    channel.once('close', () => reject(new Error('The joiner left')));
    work.then(resolve, reject);
  });
}

async function readAll(channel: Duplex, bytesMax: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of channel as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > bytesMax) throw new Error(`More than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function reasonOf(cause: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'it took too long';
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0], signal);
  return cause instanceof Error ? cause.message : String(cause);
}
