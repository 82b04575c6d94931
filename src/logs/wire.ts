import { decode, encode } from '@ipld/dag-cbor';
import type { AppId, PeerId } from '../ids.ts';
import type { LogLine } from './line.ts';

/** Batches aim at this; gossip refuses more than 16 KiB a message, and a single line stays below both. */
export const BATCH_BYTES_MAX = 12 * 1024;

/** Consecutive lines of one app made by one peer during one run of its agent. */
export type LogBatch = {
  readonly boot: number;
  /** Of the first line; the others follow without a hole. */ readonly seq: number;
  readonly lines: readonly WireLine[];
};

export type WireLine = readonly [timeUs: number, source: LogLine['source'], process: string, text: string];

export function toWireLine(line: LogLine): WireLine {
  return [line.timeUs, line.source, line.process, line.text];
}

export function fromWireLine(line: WireLine, app: AppId, peer: PeerId, seq: number): LogLine {
  const [timeUs, source, process, text] = line;
  return { app, timeUs, source, process, text, peer, seq };
}

/** An upper bound of what a line takes in a batch. CBOR carries text as plain UTF-8: no escapes that make it grow. */
export function wireBytes(line: LogLine): number {
  return Buffer.byteLength(line.text) + Buffer.byteLength(line.process) + 32;
}

export function encodeBatch(batch: LogBatch): Uint8Array {
  return encode({ v: 1, boot: batch.boot, seq: batch.seq, lines: batch.lines });
}

/** Null for anything that is no batch: gossip is unchecked input, and a newer peer may say more than we know. */
export function parseBatch(bytes: Uint8Array): LogBatch | null {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const { v, boot, seq, lines } = value;
  if (v !== 1 || !isCount(boot) || !isCount(seq) || !Array.isArray(lines)) return null;
  return lines.every(isWireLine) ? { boot, seq, lines } : null;
}

export function isWireLine(value: unknown): value is WireLine {
  if (!Array.isArray(value) || value.length < 4) return false;
  const [timeUs, source, process, text] = value as readonly unknown[];
  const isKnownSource = source === 'app' || source === 'heroku';
  return isCount(timeUs) && isKnownSource && typeof process === 'string' && typeof text === 'string';
}

/** One line of an exchange or a ring's file: a wire line after its sequence number. Null for anything else. */
export function parseNumberedLine(value: unknown, app: AppId, peer: PeerId): LogLine | null {
  if (!Array.isArray(value)) return null;
  const [seq, ...line] = value as readonly unknown[];
  return isCount(seq) && isWireLine(line) ? fromWireLine(line, app, peer, seq) : null;
}

export function toNumberedLine(line: LogLine): readonly [seq: number, ...WireLine] {
  return [line.seq, ...toWireLine(line)];
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
