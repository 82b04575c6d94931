import type { Duplex } from 'node:stream';
import * as cbor from '@ipld/dag-cbor';
import type { Connection, Stream } from '@libp2p/interface';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { PeerId } from '../../src/ids.ts';
import { Channel } from './channel.ts';
import { PROTOCOL, SETUP_MS, STREAMS_MAX } from './protocols.ts';

export type ServiceHandler = (channel: Duplex, from: PeerId) => void;

/** The opener's first note names the service, the answer says whether there is one; then bytes flow. */
type Opening = { readonly service: string };
type Answer = { readonly ok: boolean };

/** Byte streams to named services of other peers. */
export class Services {
  readonly #log: Logger;
  readonly #handlers = new Map<string, ServiceHandler>();

  constructor(log: Logger) {
    this.#log = log;
  }

  serve(service: string, handler: ServiceHandler): void {
    this.#handlers.set(service, handler);
  }

  async open(connection: Connection, service: string, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const within = AbortSignal.any([signal, AbortSignal.timeout(SETUP_MS)]);
    const stream = await connection.newStream(PROTOCOL.service, {
      signal: within,
      maxOutboundStreams: STREAMS_MAX,
    });
    return await new Promise<Duplex>((resolve, reject) => {
      const fail = (error: Error): void => {
        within.removeEventListener('abort', onAbort);
        reject(error);
        channel.destroy();
      };
      const onAbort = (): void => {
        fail(within.reason instanceof Error ? within.reason : new Error('Aborted'));
      };
      const onClose = (): void => fail(new Error('The stream closed before it was answered'));
      const channel = new Channel(stream, (note) => {
        channel.off('close', onClose);
        if (!isAnswer(cbor.decode(note))) {
          fail(
            new PlatformError(
              'unavailable',
              `"${connection.remotePeer.toString()}" has no service "${service}"`,
              {
                hint: 'Its agent may be of another version, or still starting',
              },
            ),
          );
          return;
        }
        within.removeEventListener('abort', onAbort);
        resolve(channel);
      });
      channel.once('close', onClose);
      within.addEventListener('abort', onAbort, { once: true });
      const opening: Opening = { service };
      channel.note(cbor.encode(opening));
    });
  }

  /** The handler of the service protocol; members only get here. */
  handleStream(stream: Stream, connection: Connection): void {
    const from = connection.remotePeer.toString() as PeerId;
    const deadline = setTimeout(() => channel.destroy(), SETUP_MS).unref();
    const channel = new Channel(stream, (note) => {
      clearTimeout(deadline);
      this.#onOpening(channel, cbor.decode(note), from);
    });
    channel.once('close', () => clearTimeout(deadline));
  }

  #onOpening(channel: Channel, opening: unknown, from: PeerId): void {
    const handler = isOpening(opening) ? this.#handlers.get(opening.service) : undefined;
    const answer: Answer = { ok: handler !== undefined };
    channel.note(cbor.encode(answer));
    if (handler === undefined) {
      channel.end();
      channel.resume();
      return;
    }
    try {
      handler(channel, from);
    } catch (err) {
      this.#log.error({ peer: from, err }, 'service handler failed');
      channel.destroy();
    }
  }
}

function isOpening(value: unknown): value is Opening {
  return (
    typeof value === 'object' && value !== null && 'service' in value && typeof value.service === 'string'
  );
}

function isAnswer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'ok' in value && value.ok === true;
}
