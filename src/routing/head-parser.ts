import { HeadScan } from './head-scan.ts';
import { REQUEST_LIMITS, RESPONSE_LIMITS, type Rejection } from './http-syntax.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';
import { parseResponseHead, type ResponseHead } from './response-head.ts';

/** A head and where the bytes after it begin; null while more bytes must come. */
export type Parsed<Head> = { readonly tag: 'parsed'; readonly head: Head; readonly end: number };

/** Reads one request head from bytes as they come; make a new one for each request. */
export class RequestHeadParser {
  readonly #scan = new HeadScan(REQUEST_LIMITS);

  /** @param buffer all bytes since the last request's end */
  parse(buffer: Buffer): Parsed<RequestHead> | Rejection | null {
    const end = this.#scan.scan(buffer);
    if (typeof end !== 'number') return end;
    if (end === -1) return null;
    const head = parseRequestHead(buffer.toString('latin1', this.#scan.start, end));
    return head.tag === 'rejected' ? head : { tag: 'parsed', head, end };
  }
}

/** Reads one response head from bytes as they come; make a new one for each head (a 1xx is one of its own). */
export class ResponseHeadParser {
  readonly #scan = new HeadScan(RESPONSE_LIMITS);
  readonly #method: string;

  /** @param method of the request that is answered */
  constructor(method: string) {
    this.#method = method;
  }

  /** @param buffer all bytes since the request was sent, or since the last 1xx head */
  parse(buffer: Buffer): Parsed<ResponseHead> | Rejection | null {
    const end = this.#scan.scan(buffer);
    if (typeof end !== 'number') return end;
    if (end === -1) return null;
    const head = parseResponseHead(buffer.toString('latin1', this.#scan.start, end), this.#method);
    return head.tag === 'rejected' ? head : { tag: 'parsed', head, end };
  }
}
