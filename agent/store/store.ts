import * as cbor from '@ipld/dag-cbor';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { Epoch, PeerId } from '../../src/ids.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import type { Store } from '../../src/shell/store.ts';
import { ALL_OPS, openValue, opKey, opRange, recordKey, sealValue } from './codec.ts';
import { LastKeys } from './last-keys.ts';
import { type Database, describe, isCorruption, openLevel, repairLevel } from './level.ts';

/** One batch is one write and one fsync: large enough to share, small enough not to stall the disk. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** Writes waiting for the disk; beyond it `append` refuses. */
const QUEUE_BYTES_MAX = 256 * 1024 * 1024;

type Entry = { readonly key: string; readonly bytes: Uint8Array; readonly isOp: boolean };
type Write = {
  readonly entries: readonly Entry[];
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
};

/** Opens the ledger's store in `dir`, a LevelDB folder. Throws PlatformError; see `openLevel`. */
export async function openStore(dir: string, parent: Logger): Promise<Store> {
  const log = parent.child({ component: 'store' });
  return new LevelStore(dir, await openLevel(dir, log), log);
}

class LevelStore implements Store {
  readonly #dir: string;
  readonly #log: Logger;
  #database: Database;
  readonly #lastKeys = new LastKeys();
  #queue: Write[] = [];
  #queuedBytes = 0;
  /** The loop that empties the queue, while it runs. */
  #writer: Promise<void> | null = null;
  #hasFailed = false;
  #closing: Promise<void> | null = null;

  constructor(dir: string, database: Database, log: Logger) {
    this.#dir = dir;
    this.#database = database;
    this.#log = log;
  }

  append(ops: readonly StoredOp[], records: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const entries = [
      ...ops.map(({ id, op, bytes }) => ({
        key: opKey(op.author, op.epoch, op.seq, id),
        bytes,
        isOp: true,
      })),
      ...Object.entries(records).map(([key, value]) => ({
        key: recordKey(key),
        bytes: cbor.encode(value),
        isOp: false,
      })),
    ];
    return this.#write(entries);
  }

  async *range(author: PeerId, epoch: Epoch, from: number, to: number): AsyncIterable<Uint8Array> {
    if (to < from) return;
    try {
      for await (const [key, value] of this.#database.iterator(opRange(author, epoch, from, to))) {
        const bytes = openValue(key, value);
        if (bytes === null) this.#log.error({ key }, 'stored value is corrupt');
        else yield bytes;
      }
    } catch (error) {
      throw describe(error, this.#dir);
    }
  }

  async *all(onCorrupt: (key: string, reason: string) => void): AsyncIterable<Uint8Array> {
    let after: string = ALL_OPS.gte;
    let isRepaired = false;
    for (;;) {
      try {
        for await (const [key, value] of this.#database.iterator({ gt: after, lt: ALL_OPS.lt })) {
          after = key;
          const bytes = openValue(key, value);
          if (bytes === null) onCorrupt(key, 'checksum does not match');
          else yield bytes;
        }
        return;
      } catch (error) {
        if (!isCorruption(error) || isRepaired) throw describe(error, this.#dir);
        isRepaired = true;
        const reason = error instanceof Error ? error.message : String(error);
        onCorrupt(after, reason);
        await this.#repair(reason);
      }
    }
  }

  async getRecord(key: string): Promise<unknown> {
    const stored = recordKey(key);
    const value = await this.#read(stored);
    if (value === undefined) return undefined;
    const bytes = openValue(stored, value);
    if (bytes === null) {
      this.#log.error({ key }, 'stored record is corrupt');
      return undefined;
    }
    return cbor.decode(bytes);
  }

  putRecord(key: string, value: unknown): Promise<void> {
    return this.append([], { [key]: value });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= (async () => {
      await this.#writer;
      await this.#database.close();
    })();
    return this.#closing;
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#database.get(key);
    } catch (error) {
      throw describe(error, this.#dir);
    }
  }

  /** Group commit: what is asked for while one batch is on its way to disk shares the next one's fsync. */
  #write(entries: readonly Entry[]): Promise<void> {
    if (this.#closing !== null) {
      return Promise.reject(
        new PlatformError('unavailable', `Cannot write the store "${this.#dir}": it is closed`),
      );
    }
    if (entries.length === 0) return Promise.resolve();
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    if (this.#queuedBytes + bytes > QUEUE_BYTES_MAX) {
      return Promise.reject(
        new PlatformError('unavailable', `Cannot write the store "${this.#dir}": the disk is too slow`, {
          hint: 'Try again in a moment',
        }),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ entries, bytes, resolve, reject });
    this.#queuedBytes += bytes;
    this.#writer ??= this.#writeQueued();
    return promise;
  }

  async #writeQueued(): Promise<void> {
    // Whoever asks goes on first: what one step of the machine writes, and one read from a socket brings, is one batch.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#commit(group.flatMap(({ entries }) => entries));
        for (const write of group) write.resolve();
      } catch (cause) {
        this.#hasFailed = true;
        const error = describe(cause, this.#dir);
        for (const write of group) write.reject(error);
      }
    }
    this.#writer = null;
  }

  #takeGroup(): Write[] {
    let bytes = 0;
    let count = 0;
    for (const write of this.#queue) {
      if (count > 0 && bytes + write.bytes > BATCH_BYTES_MAX) break;
      bytes += write.bytes;
      count += 1;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }

  async #commit(entries: readonly Entry[]): Promise<void> {
    // After a failed write LevelDB's log may end in the middle of a record: only opening it anew makes it whole.
    if (this.#hasFailed) {
      await this.#database.close();
      this.#database = await openLevel(this.#dir, this.#log);
      this.#lastKeys.forget();
      this.#hasFailed = false;
    }
    const known = await this.#knownOps(entries);
    const latest = new Map<string, Uint8Array>();
    for (const { key, bytes, isOp } of entries)
      if (!isOp || (!known.has(key) && !latest.has(key))) latest.set(key, bytes);
    const batch = [...latest].map(([key, bytes]) => ({
      type: 'put' as const,
      key,
      value: sealValue(key, bytes),
    }));
    if (batch.length > 0) await this.#database.batch(batch, { sync: true });
    for (const { key, isOp } of entries) if (isOp) this.#lastKeys.wrote(key);
  }

  /** Ops that are there and whole: they stay as they are. */
  async #knownOps(entries: readonly Entry[]): Promise<ReadonlySet<string>> {
    const keys: string[] = [];
    for (const { key, isOp } of entries)
      if (isOp && (await this.#lastKeys.mayHold(this.#database, key))) keys.push(key);
    if (keys.length === 0) return new Set();
    const values = await this.#database.getMany(keys);
    return new Set(
      keys.filter((key, index) => {
        const value = values[index];
        return value !== undefined && openValue(key, value) !== null;
      }),
    );
  }

  async #repair(reason: string): Promise<void> {
    await this.#writer;
    await this.#database.close();
    await repairLevel(this.#dir, reason, this.#log);
    this.#database = await openLevel(this.#dir, this.#log);
  }
}
