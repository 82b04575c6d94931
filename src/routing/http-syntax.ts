/** RFC 9110 `token`: what a method, a header name or a transfer coding is made of. */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Bytes that no head may hold (as latin1): controls other than HTAB and CRLF, and a CR that ends no line. */
export const FORBIDDEN_IN_HEAD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)/; // oxlint-disable-line no-control-regex

/** A field value's bytes: no control but HTAB. */
export const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/; // oxlint-disable-line no-control-regex

/** One header as it came (`name`) and as it is looked up (`key`, lower case). Values are latin1, blanks trimmed. */
export type Header = { readonly name: string; readonly key: string; readonly value: string };

/** How a body is delimited: so many bytes, chunks, or the end of the connection (responses only). */
export type BodyLength = number | 'chunked' | 'close';

/** Why a head or body cannot be served; `status` is what the client gets. */
export type Rejection = {
  readonly tag: 'rejected';
  readonly status: 400 | 405 | 414 | 417 | 431 | 502 | 503 | 505;
  readonly reason: string;
};

export function rejected(status: Rejection['status'], reason: string): Rejection {
  return { tag: 'rejected', status, reason };
}

/** Sizes in bytes; a line's size leaves out its CRLF. */
export type HeadLimits = {
  readonly firstLineBytesMax: number;
  readonly lineBytesMax: number;
  readonly nameBytesMax: number;
  readonly headersMax: number;
  readonly headBytesMax: number;
};

// Heroku's limits, save the last: it names no sum, and 1,000 lines of 8 KiB would be 8 MB a connection.
// https://devcenter.heroku.com/articles/http-routing
export const REQUEST_LIMITS: HeadLimits = {
  firstLineBytesMax: 8192,
  lineBytesMax: 8192,
  nameBytesMax: 1000,
  headersMax: 1000,
  headBytesMax: 128 * 1024,
};

export const RESPONSE_LIMITS: HeadLimits = {
  firstLineBytesMax: 8192,
  lineBytesMax: 512 * 1024,
  nameBytesMax: 1000,
  headersMax: 1000,
  headBytesMax: 1024 * 1024,
};
