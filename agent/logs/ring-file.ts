import { appendFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLine } from '../../src/logs/line.ts';
import { parseNumberedLine, toNumberedLine } from '../../src/logs/wire.ts';
import type { AppId, PeerId } from '../../src/ids.ts';
import { RING_BYTES_MAX, RING_LINES } from './ring.ts';

/**
 * The disk copy of one app's ring: `current.jsonl` grows by whole batches to a ring's length, then becomes
 * `previous.jsonl`, so that both together always hold a full ring. One JSON array a line. Never fsynced: logs are
 * best effort, a crash costs the last moments.
 */
export class RingFile {
  readonly #dir: string;
  #pending: LogLine[] = [];
  #currentLines = 0;
  #currentBytes = 0;
  /** The last run died within a line: close it first, or it would swallow our first one. */
  #isTorn = false;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What the last run left, in order; lines that cannot be read are skipped and counted. */
  async load(app: AppId, peer: PeerId): Promise<{ lines: readonly LogLine[]; corrupt: number }> {
    const previous = await readOrEmpty(join(this.#dir, 'previous.jsonl'));
    const current = await readOrEmpty(join(this.#dir, 'current.jsonl'));
    this.#isTorn = current !== '' && !current.endsWith('\n');
    this.#currentBytes = Buffer.byteLength(current);
    this.#currentLines = current.split('\n').length - 1;
    const rows = `${previous}\n${current}`.split('\n').filter((row) => row !== '');
    const lines = rows.flatMap((row) => parseRow(row, app, peer) ?? []);
    return { lines: inOrder(lines), corrupt: rows.length - lines.length };
  }

  get isDirty(): boolean {
    return this.#pending.length > 0;
  }

  /** Keeps the line for the next `flush`; a disk that cannot follow gets only what the ring still holds. */
  add(line: LogLine): void {
    this.#pending.push(line);
    if (this.#pending.length > 2 * RING_LINES) this.#pending = this.#pending.slice(-RING_LINES);
  }

  /** Writes what was added. One at a time. */
  async flush(): Promise<void> {
    const lines = this.#pending;
    if (lines.length === 0) return;
    this.#pending = [];
    const rows = lines.map((line) => `${JSON.stringify(toNumberedLine(line))}\n`).join('');
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    if (this.#currentLines >= RING_LINES || this.#currentBytes >= RING_BYTES_MAX) await this.#rotate();
    await appendFile(join(this.#dir, 'current.jsonl'), this.#isTorn ? `\n${rows}` : rows, { mode: 0o600 });
    this.#isTorn = false;
    this.#currentLines += lines.length;
    this.#currentBytes += Buffer.byteLength(rows);
  }

  async remove(): Promise<void> {
    this.#pending = [];
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #rotate(): Promise<void> {
    await rename(join(this.#dir, 'current.jsonl'), join(this.#dir, 'previous.jsonl'));
    this.#currentLines = 0;
    this.#currentBytes = 0;
    this.#isTorn = false;
  }
}

function parseRow(row: string, app: AppId, peer: PeerId): LogLine | null {
  try {
    return parseNumberedLine(JSON.parse(row), app, peer);
  } catch {
    return null;
  }
}

/** A file that was tampered with must not make numbers go back: what does not grow is left out. */
function inOrder(lines: readonly LogLine[]): readonly LogLine[] {
  let last = -1;
  return lines.filter((line) => {
    if (line.seq <= last) return false;
    last = line.seq;
    return true;
  });
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
