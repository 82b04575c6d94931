import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { AbortOptions, MessageStream } from '@libp2p/interface';
import { AbstractMessageStream, type SendResult } from '@libp2p/utils';
import type { Uint8ArrayList } from 'uint8arraylist';

/** A TLS socket as libp2p sees it. Each message is one record and one write: yamux sends its headers apart. */
export class SecureStream extends AbstractMessageStream {
  readonly #transport: MessageStream;
  readonly #socket: TLSSocket;

  /** @param transport libp2p's connection on the TCP socket below; it says how that ended */
  constructor(transport: MessageStream, socket: TLSSocket) {
    const { log, inactivityTimeout, maxReadBufferLength, direction } = transport;
    super({ log, inactivityTimeout, maxReadBufferLength, direction });
    this.#transport = transport;
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.onData(bytes));
    socket.on('drain', () => this.dispatchEvent(new Event('drain')));
    socket.on('error', (error) => transport.abort(error));
    transport.addEventListener('close', ({ error, local }) => {
      socket.destroy();
      if (error === undefined) this.onTransportClosed();
      else if (local === true) this.abort(error);
      else this.onRemoteReset();
    });
  }

  override async close(options?: AbortOptions): Promise<void> {
    if (!this.#socket.closed) {
      this.#socket.destroySoon();
      await once(this.#socket, 'close', { signal: options?.signal });
    }
    await this.#transport.close(options);
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const canSendMore = this.#socket.write(data.subarray());
    return { sentBytes: data.byteLength, canSendMore };
  }

  override sendReset(error: Error): void {
    this.#socket.destroy();
    this.#transport.abort(error);
  }

  override sendPause(): void {
    this.#socket.pause();
  }

  override sendResume(): void {
    this.#socket.resume();
  }
}
