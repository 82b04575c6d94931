import { setTimeout as sleep } from 'node:timers/promises';
import type { Duplex, Readable, Writable } from 'node:stream';

/** Output made before the client comes. When it is full the dyno waits in its write. */
const EARLY_BYTES_MAX = 1024 * 1024;

/** Joins the stdio of a one-off dyno to its client, who may come later than the first output. One client, once. */
export class Attachment {
  readonly #output: Readable;
  readonly #input: Writable;
  readonly #endOfInput: string | null;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #client: Duplex | null = null;
  #isClientGone = false;
  #isEnded = false;
  readonly #ended = Promise.withResolvers<void>();
  #bytes = 0;

  /** @param endOfInput what stands for the end of input on a terminal; null: `input` is ended */
  constructor(output: Readable, input: Writable, endOfInput: string | null) {
    this.#output = output;
    this.#input = input;
    this.#endOfInput = endOfInput;
    output.on('data', (data: Buffer) => this.#onOutput(data));
    output.on('close', () => {
      this.#isEnded = true;
      this.#ended.resolve();
      this.#client?.end();
      this.#input.destroy();
    });
  }

  get isTaken(): boolean {
    return this.#client !== null;
  }

  /** The end of what was said so far: why a start failed. */
  earlyText(): string {
    return Buffer.concat(this.#early).toString('utf8').trim();
  }

  /** Waits until the output ends, or those who may hold it open have said nothing for so long. */
  async lastOutput(idleMs: number): Promise<void> {
    for (let told = -1; !this.#isEnded && (this.#output.isPaused() || told !== this.#bytes);) {
      told = this.#bytes;
      await Promise.race([this.#ended.promise, sleep(idleMs)]);
    }
    this.#output.destroy();
  }

  connect(client: Duplex): void {
    this.#client = client;
    for (const data of this.#early) client.write(data);
    this.#early = [];
    client.on('drain', () => this.#output.resume());
    client.on('data', (data: Buffer) => {
      if (!this.#input.destroyed && !this.#input.write(data)) client.pause();
    });
    this.#input.on('drain', () => client.resume());
    client.on('end', () => this.#endInput());
    client.on('close', () => {
      this.#isClientGone = true;
      this.#endInput();
      this.#output.resume();
    });
    if (this.#isEnded) client.end();
    else this.#output.resume();
  }

  #onOutput(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#isClientGone) return;
    if (this.#client !== null) {
      if (!this.#client.write(data)) this.#output.pause();
      return;
    }
    this.#early.push(data);
    this.#earlyBytes += data.length;
    if (this.#earlyBytes >= EARLY_BYTES_MAX) this.#output.pause();
  }

  #endInput(): void {
    if (this.#input.destroyed || this.#input.writableEnded) return;
    if (this.#endOfInput === null) this.#input.end(() => this.#input.destroy());
    else if (!this.#isClientGone) this.#input.write(this.#endOfInput);
  }
}
