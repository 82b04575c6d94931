import { crc32 } from 'node:zlib';
import type { Epoch, OpId, PeerId } from '../../src/ids.ts';

const CHECKSUM_BYTES = 4;
// Number.MAX_SAFE_INTEGER has 16 digits: keys sort as numbers do.
const SEQ_DIGITS = 16;

/** Ops of one author's log lie side by side in sequence; siblings of one number differ in the id. */
export function opKey(author: PeerId, epoch: Epoch, seq: number, id: OpId): string {
  return `${opPrefix(author, epoch, seq)}${id}`;
}

/** Bounds of a log's ops from one sequence number to another, both inclusive. */
export function opRange(
  author: PeerId,
  epoch: Epoch,
  from: number,
  to: number,
): { readonly gte: string; readonly lt: string } {
  // '"' is the character after '!': it ends the last number's siblings.
  return { gte: opPrefix(author, epoch, from), lt: `${opPrefix(author, epoch, to).slice(0, -1)}"` };
}

export const ALL_OPS = { gte: 'op!', lt: 'op"' } as const;

export function recordKey(key: string): string {
  return `record!${key}`;
}

/** Value as stored: CRC-32 of key and bytes, then the bytes. LevelDB's own checksums are not checked on reads. */
export function sealValue(key: string, bytes: Uint8Array): Uint8Array {
  const value = Buffer.allocUnsafe(CHECKSUM_BYTES + bytes.length);
  value.writeUInt32BE(crc32(bytes, crc32(key)), 0);
  value.set(bytes, CHECKSUM_BYTES);
  return value;
}

/** The bytes behind a key, or null where they are not what was written there. */
export function openValue(key: string, value: Uint8Array): Uint8Array | null {
  if (value.length < CHECKSUM_BYTES) return null;
  const bytes = value.subarray(CHECKSUM_BYTES);
  const checksum = new DataView(value.buffer, value.byteOffset, CHECKSUM_BYTES).getUint32(0);
  return checksum === crc32(bytes, crc32(key)) ? bytes : null;
}

function opPrefix(author: PeerId, epoch: Epoch, seq: number): string {
  const digits = Math.min(seq, Number.MAX_SAFE_INTEGER).toString().padStart(SEQ_DIGITS, '0');
  return `op!${author}!${epoch}!${digits}!`;
}
