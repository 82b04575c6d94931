/** Header of a stored line: wall µs as a double, then the length of its bytes. */
const HEADER_BYTES = 12;
const CHUNK_BYTES = 64 * 1024;
const CHUNKS_MAX = 16;

export const RING_BYTES_MAX = CHUNK_BYTES * CHUNKS_MAX;

type Chunk = { bytes: Buffer; used: number; first: number; count: number };
export type RingLine = readonly [seq: number, timeUs: number, text: string];

/**
 * The last 1 MiB of a dyno's output. Lines are numbered from 1; when full the oldest 64 KiB go, which a reader sees as
 * a gap in the numbers. Lines are kept as bytes in a few buffers that are used again and again: a flood that nobody
 * reads is copying only and makes no garbage.
 */
export class LogRing {
  readonly #chunks: Chunk[] = [];
  #next = 1;

  /** Number that the next line will get. */
  get next(): number {
    return this.#next;
  }

  /** Adds the line that `bytes` hold from `start` to `end`: at most 10,000, without line end. */
  append(bytes: Buffer, start: number, end: number, timeUs: number): void {
    const length = end - start;
    const chunk = this.#roomFor(HEADER_BYTES + length);
    chunk.bytes.writeDoubleLE(timeUs, chunk.used);
    chunk.bytes.writeUInt32LE(length, chunk.used + 8);
    bytes.copy(chunk.bytes, chunk.used + HEADER_BYTES, start, end);
    chunk.used += HEADER_BYTES + length;
    chunk.count += 1;
    this.#next += 1;
  }

  /** Lines from number `from`, or from the oldest kept when that is gone; about `bytesMax` of them, none when there are none. */
  read(from: number, bytesMax: number): RingLine[] {
    const lines: RingLine[] = [];
    const chunk = this.#chunks.find((candidate) => from < candidate.first + candidate.count);
    if (chunk === undefined) return lines;
    let seq = chunk.first;
    let bytes = 0;
    for (let at = 0; at < chunk.used && bytes < bytesMax; seq += 1) {
      const length = chunk.bytes.readUInt32LE(at + 8);
      const start = at + HEADER_BYTES;
      if (seq >= from) {
        lines.push([seq, chunk.bytes.readDoubleLE(at), chunk.bytes.toString('utf8', start, start + length)]);
        bytes += HEADER_BYTES + length;
      }
      at = start + length;
    }
    return lines;
  }

  #roomFor(bytes: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.used + bytes <= CHUNK_BYTES) return last;
    const oldest = this.#chunks.length === CHUNKS_MAX ? this.#chunks.shift() : undefined;
    const chunk = {
      bytes: oldest?.bytes ?? Buffer.allocUnsafeSlow(CHUNK_BYTES),
      used: 0,
      first: this.#next,
      count: 0,
    };
    this.#chunks.push(chunk);
    return chunk;
  }
}
