import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Where scripts that a test has others run wait until it lets them on: no sleep is long enough on every machine. */
export class Gate implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#come(socket));
  readonly #waiting = new Set<Socket>();
  #isOpen = false;

  static async build(): Promise<Gate> {
    const gate = new Gate();
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  /** A command line that ends once the gate is open. */
  get command(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `bash -c 'cat </dev/tcp/127.0.0.1/${port}'`;
  }

  /** How many stand before it. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Lets on who waits, and whoever comes from now on. */
  open(): void {
    this.#isOpen = true;
    for (const socket of this.#waiting) socket.end();
  }

  #come(socket: Socket): void {
    this.#waiting.add(socket);
    socket.on('error', () => undefined); // Who waits may be killed.
    socket.on('close', () => this.#waiting.delete(socket));
    socket.resume();
    if (this.#isOpen) socket.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    await closed;
  }
}
