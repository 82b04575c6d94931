import type { Epoch, PeerId } from '../ids.ts';
import type { StoredOp } from '../ledger/op.ts';

/** The durable half of the ledger, and a few small records. Every promise resolves after fsync. */
export interface Store extends AsyncDisposable {
  /** Ops and records in one atomic batch. Idempotent: an op that is there stays as it is. */
  append(ops: readonly StoredOp[], records?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Ops of one author's log in sequence, as stored bytes; `to` inclusive. Siblings of one sequence number both come. */
  range(author: PeerId, epoch: Epoch, from: number, to: number): AsyncIterable<Uint8Array>;
  /** Every op, per author and epoch in sequence. A torn or corrupt value is reported to `onCorrupt` and skipped. */
  all(onCorrupt: (key: string, reason: string) => void): AsyncIterable<Uint8Array>;
  /** A small record (CBOR): incarnation, address book, keys of the boot guard. */
  getRecord(key: string): Promise<unknown>;
  putRecord(key: string, value: unknown): Promise<void>;
}
