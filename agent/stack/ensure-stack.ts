import type { BlobId, PeerId } from '../../src/ids.ts';
import type { Blobs } from '../../src/shell/blobs.ts';
import type { EngineImage, StackEngine } from './engine.ts';

/** Where a stack image comes from when the Engine has none. */
export type StackSource =
  | { readonly from: 'registry' }
  | {
      readonly from: 'cluster';
      /** What the ledger names for this architecture; null: nothing yet. */
      readonly blob: BlobId | null;
      readonly blobs: Pick<Blobs, 'has' | 'path' | 'fetch'>;
      /** Live peers that hold a blob. */
      readonly holders: (blob: BlobId) => readonly PeerId[];
    };

/**
 * Has the stack image in the Engine: as it is there, or made from the cluster's blob, or pulled from its registry.
 * @returns `ready`, or in one sentence's end why not; rejects only when `signal` aborts
 */
export async function ensureStack(
  engine: Pick<StackEngine, 'image' | 'import' | 'pull'>,
  image: string,
  source: StackSource,
  signal: AbortSignal,
): Promise<'ready' | (string & {})> {
  let found: EngineImage | null = null;
  try {
    found = await engine.image(image);
    if (source.from === 'registry') {
      if (found === null) await engine.pull(image, signal);
      return 'ready';
    }
    const { blob, blobs, holders } = source;
    // An image that was put into the Engine by hand serves until the cluster names another.
    if (blob === null) return found === null ? `the stack image "${image}" is not here` : 'ready';
    if (found?.blob === blob) return 'ready';
    if (!blobs.has(blob)) {
      const from = holders(blob);
      if (from.length === 0) return found === null ? 'no peer that is up has the stack' : 'ready';
      await blobs.fetch(blob, from, signal);
    }
    await engine.import(image, blob, blobs.path(blob), signal);
    return 'ready';
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return found === null ? `the stack image "${image}" could not be had: ${reason}` : 'ready';
  }
}
