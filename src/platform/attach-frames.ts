import type { Readable } from 'node:stream';
import { PlatformError } from '../errors.ts';

/**
 * What travels on the attach stream of a one-off dyno, or of a command inside a dyno, both ways: 1 byte type, 4 bytes
 * big-endian payload length, payload. `exit` or `error` is the last frame that the agent sends; `absent` the only one
 * that it gets where no client came.
 */
export const FRAME = { data: 0, resize: 1, exit: 2, eof: 3, error: 4, absent: 5 } as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];
export type Frame = { readonly type: FrameType; readonly payload: Buffer };

/** Payload of `resize`. */
export type Resize = { readonly columns: number; readonly rows: number };
/** Payload of `exit`: one of the two is set. */
export type Exit = { readonly status: number | null; readonly signal: string | null };

export const FRAME_BYTES_MAX = 1024 * 1024;
const HEAD_BYTES = 5;

/** @param payload bytes of `data`; a record, sent as JSON, for the others; nothing for `eof` and `absent` */
export function encodeFrame(type: FrameType, payload: Uint8Array | object = Buffer.alloc(0)): Buffer {
  const body = payload instanceof Uint8Array ? payload : Buffer.from(JSON.stringify(payload));
  if (body.length > FRAME_BYTES_MAX) {
    throw new PlatformError('too_large', `Cannot send an attach frame of ${body.length} bytes`, {
      hint: `A frame holds at most ${FRAME_BYTES_MAX} bytes: send several`,
    });
  }
  const frame = Buffer.allocUnsafe(HEAD_BYTES + body.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, HEAD_BYTES);
  return frame;
}

/** Cuts a byte stream into frames, whatever chunks it comes in. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Bytes needed before the next look: a large frame in small chunks is joined once. */
  #wanted = HEAD_BYTES;

  /** The frames that this chunk completes. Throws `bad_request` on what no peer of ours sends. */
  push(chunk: Uint8Array): readonly Frame[] {
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#bytes += chunk.byteLength;
    const frames: Frame[] = [];
    if (this.#bytes < this.#wanted) return frames;
    const [only] = this.#chunks;
    let rest = only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks);
    this.#wanted = HEAD_BYTES;
    while (rest.length >= HEAD_BYTES) {
      const { type, bytes } = parseHead(rest);
      this.#wanted = HEAD_BYTES + bytes;
      if (rest.length < this.#wanted) break;
      frames.push({ type, payload: rest.subarray(HEAD_BYTES, this.#wanted) });
      rest = rest.subarray(this.#wanted);
      this.#wanted = HEAD_BYTES;
    }
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    return frames;
  }
}

function parseHead(bytes: Buffer): { type: FrameType; bytes: number } {
  const type = bytes.readUInt8(0);
  const length = bytes.readUInt32BE(1);
  if (!isFrameType(type)) {
    throw new PlatformError('bad_request', `Cannot read the attach stream: found frame type ${type}`);
  }
  if (length > FRAME_BYTES_MAX) {
    throw new PlatformError(
      'bad_request',
      `Cannot read the attach stream: found a frame of ${length} bytes`,
      {
        hint: `A frame holds at most ${FRAME_BYTES_MAX} bytes`,
      },
    );
  }
  return { type, bytes: length };
}

/** Calls `handler` with each frame of the stream. A bad frame, or a handler that throws, destroys the stream with it. */
export function decodeFrames(stream: Readable, handler: (frame: Frame) => void): void {
  const decoder = new FrameDecoder();
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const frame of decoder.push(chunk)) handler(frame);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

export function parseResize(payload: Buffer): Resize {
  const { columns, rows } = parseRecord(payload, 'resize');
  if (!isTerminalLength(columns) || !isTerminalLength(rows)) {
    throw new PlatformError(
      'bad_request',
      'Cannot resize the terminal: columns and rows are from 1 to 65535',
    );
  }
  return { columns, rows };
}

export function parseExit(payload: Buffer): Exit {
  const { status, signal } = parseRecord(payload, 'exit');
  return {
    status: typeof status === 'number' && Number.isInteger(status) ? status : null,
    signal: typeof signal === 'string' ? signal : null,
  };
}

export function parseRecord(payload: Buffer, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    if (isRecord(value)) return value;
  } catch (cause) {
    throw new PlatformError('bad_request', `Cannot read the attach stream: the ${what} frame is no JSON`, {
      cause,
    });
  }
  throw new PlatformError('bad_request', `Cannot read the attach stream: the ${what} frame holds no record`);
}

function isTerminalLength(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function isFrameType(value: number): value is FrameType {
  return value <= FRAME.absent;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
