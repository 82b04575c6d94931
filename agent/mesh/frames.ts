/**
 * What travels on each of our streams: frames of one type byte, a 24-bit big-endian length and the payload. Only
 * `data` counts against the receiver's credit; the others are small and answered at once.
 */
export const FRAME = { data: 1, credit: 2, end: 3, note: 4 } as const;

export const HEADER_BYTES = 4;
/** Small enough that many streams share one connection fairly, large enough that the header costs nothing. */
export const DATA_BYTES_MAX = 64 * 1024;
export const NOTE_BYTES_MAX = 4 * 1024;

const BYTES_MAX = new Map<number, number>([
  [FRAME.data, DATA_BYTES_MAX],
  [FRAME.credit, 4],
  [FRAME.end, 0],
  [FRAME.note, NOTE_BYTES_MAX],
]);

export function writeHeader(target: Uint8Array, type: number, bytes: number): void {
  target[0] = type;
  target[1] = bytes >>> 16;
  target[2] = bytes >>> 8;
  target[3] = bytes;
}

export type FrameSink = {
  /** A piece of a data frame, as it arrives: data is a byte stream, its frame borders mean nothing. */
  onData(chunk: Uint8Array): void;
  /** A whole frame of another type. */
  onFrame(type: number, payload: Uint8Array): void;
};

/** Cuts a byte stream into frames. `push` throws on the first byte that no peer of ours would send. */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #type = 0;
  /** Payload bytes still to come. */
  #missing = 0;
  #parts: Uint8Array[] = [];

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  push(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#headerBytes < HEADER_BYTES) {
        rest = this.#takeHeader(rest);
        continue;
      }
      const part = rest.subarray(0, this.#missing);
      rest = rest.subarray(part.length);
      this.#missing -= part.length;
      if (this.#type === FRAME.data) this.#sink.onData(part);
      else this.#parts.push(part);
      if (this.#missing === 0) this.#finish();
    }
  }

  #takeHeader(bytes: Uint8Array): Uint8Array {
    const take = Math.min(HEADER_BYTES - this.#headerBytes, bytes.length);
    this.#header.set(bytes.subarray(0, take), this.#headerBytes);
    this.#headerBytes += take;
    if (this.#headerBytes === HEADER_BYTES) {
      const [type = 0, high = 0, middle = 0, low = 0] = this.#header;
      this.#type = type;
      this.#missing = (high << 16) | (middle << 8) | low;
      const bytesMax = BYTES_MAX.get(type);
      if (bytesMax === undefined) throw new Error(`Unknown frame type ${type}`);
      if (this.#missing > bytesMax) throw new Error(`Frame of type ${type} with ${this.#missing} bytes`);
      if (this.#missing === 0) this.#finish();
    }
    return bytes.subarray(take);
  }

  #finish(): void {
    const [first] = this.#parts;
    const payload = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#headerBytes = 0;
    if (this.#type !== FRAME.data) this.#sink.onFrame(this.#type, payload);
  }
}
