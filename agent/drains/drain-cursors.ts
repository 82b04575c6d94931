import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { decode, encode } from '@ipld/dag-cbor';
import type { Logger } from 'pino';
import type { DrainId, PeerId } from '../../src/ids.ts';
import { DrainCursor, parseRows, toRows } from '../../src/logs/drain-cursor.ts';
import { isRecord } from '../../src/logs/wire.ts';
import type { Mesh } from '../../src/shell/mesh.ts';

const TOPIC = 'kith/drain-cursors';
const SAVE_AFTER_MS = 5_000;

export type DrainCursorsParts = {
  /** `drain-cursors.json` in the data directory. */
  readonly path: string;
  readonly mesh: Mesh;
  /** Whether there is such a drain: nobody keeps cursors of others. */
  readonly exists: (drain: DrainId) => boolean;
  readonly log: Logger;
};

/**
 * How far every drain of the cluster has got, as its carriers tell all peers: whoever carries a drain next goes on from
 * there. What is lost of this costs lines that come twice, never a line.
 */
export class DrainCursors implements Disposable {
  readonly #parts: DrainCursorsParts;
  readonly #cursors: Map<DrainId, DrainCursor>;
  /** What was last told of each drain that is carried here. */
  readonly #told = new Map<DrainId, string>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: DrainCursorsParts) {
    this.#parts = parts;
    this.#cursors = load(parts.path);
    this.#unsubscribe = parts.mesh.subscribe(TOPIC, (from, data) => this.#hear(from, data));
  }

  /** The cursor itself: who moves it on says so by `tell`. */
  of(drain: DrainId): DrainCursor {
    const known = this.#cursors.get(drain);
    if (known !== undefined) return known;
    const cursor = new DrainCursor();
    this.#cursors.set(drain, cursor);
    return cursor;
  }

  /** Takes what another peer knows of a drain. */
  merge(drain: DrainId, rows: unknown): void {
    const positions = parseRows(rows);
    if (positions !== null && this.of(drain).merge(positions)) this.#saveLater();
  }

  /** Tells the other peers, if there is anything new to tell. At most 128 peers' positions: 9 KB. */
  tell(drain: DrainId): void {
    const rows = toRows(this.of(drain).positions);
    const text = JSON.stringify(rows);
    if (this.#told.get(drain) === text) return;
    this.#told.set(drain, text);
    const { mesh } = this.#parts;
    if (mesh.hasSubscribers(TOPIC)) mesh.publish(TOPIC, encode({ v: 1, drain, rows }));
    this.#saveLater();
  }

  #hear(from: PeerId, data: Uint8Array): void {
    const message = read(data);
    const drain = message?.['drain'] as DrainId | undefined;
    if (message?.['v'] !== 1 || typeof drain !== 'string') {
      this.#parts.log.debug({ peer: from }, 'drain cursor could not be read');
      return;
    }
    // The drain's op may still be on its way: a later cursor says the same, and more.
    if (this.#parts.exists(drain)) this.merge(drain, message['rows']);
  }

  #saveLater(): void {
    this.#timer ??= setTimeout(() => this.#save(), SAVE_AFTER_MS).unref();
  }

  #save(): void {
    this.#timer = null;
    const { path, exists, log } = this.#parts;
    for (const drain of this.#cursors.keys()) if (!exists(drain)) this.#forget(drain);
    const rows = [...this.#cursors].map(([drain, { positions }]) => [drain, toRows(positions)]);
    try {
      writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(rows)), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    } catch (err) {
      log.warn({ err }, 'drain cursors not saved');
    }
  }

  #forget(drain: DrainId): void {
    this.#cursors.delete(drain);
    this.#told.delete(drain);
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#save();
  }
}

function read(data: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = decode(data);
    return isRecord(value) ? value : null;
  } catch {
    return null; // Gossip is unchecked input.
  }
}

function load(path: string): Map<DrainId, DrainCursor> {
  const cursors = new Map<DrainId, DrainCursor>();
  try {
    const saved: unknown = JSON.parse(readFileSync(path, 'utf8'));
    for (const [drain, rows] of Object.entries(isRecord(saved) ? saved : {})) {
      const positions = parseRows(rows);
      if (positions !== null) cursors.set(drain as DrainId, new DrainCursor(positions));
    }
  } catch {
    // Not there, or torn: the others know, or lines come twice.
  }
  return cursors;
}
