import type { Database } from './level.ts';

/**
 * The last key that the store has of each author's log. What sorts behind it is not in the store, and almost all that
 * comes does: one read for each log, where each op would cost one.
 */
export class LastKeys {
  readonly #byLog = new Map<string, string>();

  /** Whether an op may be in the store under this key: if not, there is nothing to look for. */
  async mayHold(database: Database, key: string): Promise<boolean> {
    const log = logOf(key);
    const last = this.#byLog.get(log) ?? (await lastKeyOf(database, log));
    this.#byLog.set(log, last);
    return key <= last;
  }

  /** To be told of each op that was written. */
  wrote(key: string): void {
    const log = logOf(key);
    if (key > (this.#byLog.get(log) ?? '')) this.#byLog.set(log, key);
  }

  /** After a write that failed nobody knows whether it is there. */
  forget(): void {
    this.#byLog.clear();
  }
}

/** `op!AUTHOR!EPOCH!`, which all keys of one log begin with. */
function logOf(key: string): string {
  return key.split('!', 3).join('!') + '!';
}

async function lastKeyOf(database: Database, log: string): Promise<string> {
  // '"' is the character after '!'.
  const range = { gt: log, lt: `${log.slice(0, -1)}"`, reverse: true, limit: 1 };
  for await (const key of database.keys(range)) return key;
  return '';
}
