import { createHash } from 'node:crypto';
import { base32 } from 'multiformats/bases/base32';
import type { BlobId, Epoch, PeerId } from '../../src/ids.ts';
import type { LogRange } from '../../src/ledger/author-logs.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import type { StoredOp } from '../../src/ledger/op.ts';

/** What a peer keeps over crashes. Only what was synced is here: a crash loses the rest. */
export class Disk {
  /** Encodings that were once synced here. */
  readonly #synced = new WeakSet<Uint8Array>();
  #ops = new Map<string, StoredOp>();
  readonly records = new Map<string, unknown>();
  readonly blobs = new Set<BlobId>();

  write(ops: readonly StoredOp[], records: Readonly<Record<string, unknown>>): void {
    for (const op of ops) {
      this.#ops.set(op.id, op);
      this.#synced.add(op.bytes);
    }
    for (const [key, value] of Object.entries(records)) this.records.set(key, structuredClone(value));
  }

  hasBytes(bytes: Uint8Array): boolean {
    return this.#synced.has(bytes);
  }

  has(op: string): boolean {
    return this.#ops.has(op);
  }

  ids(): string[] {
    return [...this.#ops.keys()];
  }

  get(op: string): StoredOp | undefined {
    return this.#ops.get(op);
  }

  /** A backup of this moment: `restore` puts it back, and all that came after it is forgotten. */
  backup(): () => void {
    const [ops, records] = [new Map(this.#ops), structuredClone(this.records)];
    return () => {
      this.#ops = new Map(ops);
      this.records.clear();
      for (const [key, value] of records) this.records.set(key, structuredClone(value));
    };
  }

  /** A sector goes bad: the store finds that this op does not match its checksum, and skips it. */
  lose(op: string): void {
    this.#ops.delete(op);
  }

  /** As the real store gives them: author by author, in sequence. */
  all(): StoredOp[] {
    return [...this.#ops.values()].map(({ bytes }) => decodeOp(bytes)).sort(byLog);
  }

  range({ author, epoch, from, to }: LogRange): Uint8Array[] {
    return [...this.#ops.values()]
      .filter(({ op }) => op.author === author && op.epoch === epoch && op.seq >= from && op.seq <= to)
      .sort(byLog)
      .map(({ bytes }) => bytes);
  }
}

function byLog(a: StoredOp, b: StoredOp): number {
  const key = ({ op }: StoredOp): string => `${op.author}/${op.epoch}/${String(op.seq).padStart(9, '0')}`;
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1;
}

export function epochOf(peer: PeerId, seed: number): Epoch {
  return base32.baseEncode(createHash('sha256').update(`${peer}/${seed}`).digest()).slice(0, 16) as Epoch;
}
