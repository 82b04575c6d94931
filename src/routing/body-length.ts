import { rejected, type BodyLength, type Header, type Rejection } from './http-syntax.ts';

/** What the headers of one head say about its body and its connection, gathered in one pass. */
export type Framing = {
  /** Null when no header says. */
  readonly body: Exclude<BodyLength, 'close'> | null;
  /** Lower-case tokens of Connection. */
  readonly connection: readonly string[];
  readonly upgrade: string | null;
};

const NO_TOKENS: readonly string[] = [];

/**
 * Decides where a body ends, or refuses when two readers might disagree: this is where request smuggling is stopped.
 * Several equal Content-Lengths count as one; anything else that is said twice, or beside the other, is refused.
 */
export function parseFraming(headers: readonly Header[], minor: 0 | 1): Framing | Rejection {
  let length: string | null = null;
  let coding: string | null = null;
  let connection = NO_TOKENS;
  let upgrade: string | null = null;
  for (const { key, value } of headers) {
    switch (key) {
      case 'content-length':
        if (length !== null && length !== value) return rejected(400, 'Content-Lengths that differ');
        length = value;
        break;
      case 'transfer-encoding':
        if (coding !== null) return rejected(400, 'more than one Transfer-Encoding');
        coding = value;
        break;
      case 'connection':
        connection = [...connection, ...tokens(value)];
        break;
      case 'upgrade':
        upgrade = value;
        break;
      default:
    }
  }
  if (coding !== null) {
    if (length !== null) return rejected(400, 'both Content-Length and Transfer-Encoding');
    if (minor === 0) return rejected(400, 'Transfer-Encoding in HTTP/1.0');
    if (coding.toLowerCase() !== 'chunked') return rejected(400, 'a Transfer-Encoding other than chunked');
    return { body: 'chunked', connection, upgrade };
  }
  if (length === null) return { body: null, connection, upgrade };
  // Fifteen digits stay a safe integer; signs, blanks, lists and hexadecimal are read differently by different servers.
  if (!/^[0-9]{1,15}$/.test(length)) return rejected(400, 'a Content-Length that is no plain number');
  return { body: Number(length), connection, upgrade };
}

function tokens(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}
