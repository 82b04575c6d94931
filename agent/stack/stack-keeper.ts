import type { Logger } from 'pino';
import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Stack } from '../../src/ledger/cluster/cluster-types.ts';
import type { View } from '../../src/ledger/view.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { EngineStack, LocalStack } from '../../src/shell/stack.ts';
import { STACK_IMAGE } from '../../src/platform/stack.ts';
import { ensureStack, type StackSource } from './ensure-stack.ts';
import { findStackEngine, type StackEngine } from './engine.ts';
import { inspectStack } from './inspect.ts';

// 300 MB over a home's uplink, and an import by a slow disk.
const ENSURE_MS = 30 * 60_000;
const AGAIN_MS = 60_000;

type Engine = Pick<StackEngine, 'image' | 'import' | 'pull'>;

export type StackKeeperParts = {
  /** The image that dynos run on; another than Kith's own comes from its registry. */
  readonly image: string;
  readonly arch: string;
  readonly blobs: Blobs;
  readonly holders: (blob: BlobId) => readonly PeerId[];
  readonly log: Logger;
  readonly connect?: () => Promise<Engine | null>;
};

/** Keeps the stack image of this peer's Engine as the ledger names it. */
export class StackKeeper implements LocalStack, AsyncDisposable {
  readonly #parts: StackKeeperParts;
  readonly #abort = new AbortController();
  #seen: BlobId | null = null;
  #lookAt = 0;
  #running: Promise<void> | null = null;
  /** The blob that the Engine's image was made from, when it was last looked at. */
  #inEngine: string | null = null;
  #said = '';

  constructor(parts: StackKeeperParts) {
    this.#parts = parts;
  }

  /** Before there is a runtime: has the image in the Engine if all that it takes is on this host, or in a registry. */
  async prepare(stack: Pick<Stack, 'blob'> | null): Promise<void> {
    try {
      await this.#ensure(stack?.blob ?? null, () => []);
    } catch (err) {
      // An Engine that died meanwhile: the choice of a runtime finds it so.
      this.#parts.log.info({ err }, 'stack not prepared');
    }
  }

  /**
   * Looks whether the ledger names another stack than the Engine has, and gets it from the peers that have it. Called at
   * every change; `onReady` when the image has come.
   */
  follow(view: View, onReady: () => void): void {
    const { arch, image, blobs, holders, log } = this.#parts;
    const stack = view.stacks.get(arch);
    if (stack === undefined || image !== STACK_IMAGE || this.#running !== null) return;
    if (stack.blob === this.#inEngine) return;
    if (stack.blob === this.#seen && performance.now() < this.#lookAt) return;
    // Those that have it say so soon.
    if (!blobs.has(stack.blob) && holders(stack.blob).length === 0) return;
    this.#seen = stack.blob;
    this.#running = this.#ensure(stack.blob, holders)
      .then((isReady) => {
        if (isReady) onReady();
      })
      .catch((err: unknown) => log.debug({ err }, 'stack not fetched'))
      .finally(() => {
        this.#lookAt = performance.now() + AGAIN_MS;
        this.#running = null;
      });
  }

  async status(): Promise<EngineStack> {
    const { image } = this.#parts;
    const engine = await this.#connect();
    const found = (await engine?.image(image)) ?? null;
    return { engine: engine !== null, image, present: found !== null, blob: found?.blob ?? null };
  }

  inspect(path: string): Promise<string> {
    return inspectStack(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** @returns whether the Engine's image is now what the ledger names */
  async #ensure(blob: BlobId | null, holders: StackKeeperParts['holders']): Promise<boolean> {
    const { image, blobs, log } = this.#parts;
    const engine = await this.#connect();
    if (engine === null) return false;
    const source: StackSource =
      image === STACK_IMAGE ? { from: 'cluster', blob, blobs, holders } : { from: 'registry' };
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(ENSURE_MS)]);
    const found = await ensureStack(engine, image, source, signal);
    if (found !== this.#said) log.info({ image, found }, 'looked for the stack image');
    this.#said = found;
    this.#inEngine = (await engine.image(image))?.blob ?? null;
    return blob !== null && this.#inEngine === blob;
  }

  #connect(): Promise<Engine | null> {
    return (this.#parts.connect ?? findStackEngine)();
  }
}
