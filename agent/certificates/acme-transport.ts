import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type * as acme from 'acme-client';
import { plainLine } from '../../src/plain-text.ts';

/** Of what an authority says: a paragraph or two. */
const SAID_LENGTH_MAX = 400;

/** What the authority, or the way to it, has against a request; the message is for whoever has the domain. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError';
  /** Its type as the authority calls it (RFC 8555 6.7); null where it is none of those. */
  readonly problem: string | null;
  /** How long the authority wants to be left alone; null: it did not say. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    options: ErrorOptions & { readonly problem?: string | null; readonly retryAfterMs?: number | null } = {},
  ) {
    super(message, options);
    this.problem = options.problem ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** `ca`: PEM of who else may vouch for the authority's server. */
export type AcmeCall = { readonly ca: string | null; readonly signal: AbortSignal };

type AcmeModule = typeof acme;
type Asked = {
  readonly url?: string;
  readonly method?: string;
  readonly data?: unknown;
  readonly headers: { toJSON(): unknown };
};

const REQUEST_MS = 30_000;
const ANSWER_BYTES_MAX = 1024 * 1024;
/** The library sends all through one client of its own: what a call is made with travels beside it. */
const calls = new AsyncLocalStorage<AcmeCall>();
let library: Promise<AcmeModule> | null = null;

/**
 * Runs `work` with the ACME library, which is loaded when it is first needed. Its requests end with the call's signal, and
 * come back here at once where they fail: whether and when to try again is decided by whoever ordered.
 */
export function withAcme<T>(call: AcmeCall, work: (acme: AcmeModule) => Promise<T>): Promise<T> {
  library ??= load();
  const loaded = library;
  return calls.run(call, async () => work(await loaded));
}

async function load(): Promise<AcmeModule> {
  const loaded = await import('acme-client');
  loaded.axios.defaults.adapter = async <Config extends Asked>(config: Config) => ({
    ...(await send(config)),
    config,
  });
  return loaded;
}

async function send({ url = '', method = 'GET', data, headers }: Asked) {
  const call = calls.getStore();
  if (call === undefined) throw new Error('A request to an authority was made outside of an order');
  const response = await exchange(call, url, method.toUpperCase(), data, headers);
  const text = await textOf(response, url);
  const { statusCode: status = 0, statusMessage: statusText = '' } = response;
  if (status >= 400) refuse(response, url, status, text);
  return { data: text, status, statusText, headers: response.headers as Record<string, string> };
}

async function exchange(
  { ca, signal }: AcmeCall,
  url: string,
  method: string,
  data: unknown,
  headers: Asked['headers'],
): Promise<IncomingMessage> {
  if (!url.startsWith('https://'))
    throw new AcmeError(`The authority is not asked at "${url}": that is no https URL`);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const out = httpsRequest(url, {
    method,
    headers: headers.toJSON() as Record<string, string>,
    signal: limit,
    ...(ca === null ? {} : { ca: [...rootCertificates, ca] }),
  });
  out.once('response', resolve);
  out.once('error', reject);
  out.end(typeof data === 'string' ? data : undefined);
  try {
    return await promise;
  } catch (cause) {
    signal.throwIfAborted();
    throw unreachable(url, cause);
  }
}

async function textOf(response: IncomingMessage, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error('its answer does not end');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw unreachable(url, cause);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreachable(url: string, cause: unknown): AcmeError {
  const found = cause instanceof Error && cause.name === 'AbortError' ? 'no answer in time' : describe(cause);
  return new AcmeError(`The authority cannot be reached at "${serverOf(url)}": ${found}`, { cause });
}

/** Paths may be of one order, and so never twice the same. */
function serverOf(url: string): string {
  return new URL(url).origin;
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // Of several addresses none may answer: that error has no words of its own.
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

/** Problem documents: RFC 8555 6.7. A nonce that is not taken is the library's to replace. */
function refuse(response: IncomingMessage, url: string, status: number, text: string): void {
  const { type, detail } = problemOf(text);
  if (type?.endsWith(':badNonce') === true) return;
  const retryAfterMs = retryAfterOf(response.headers['retry-after']);
  const found = detail ?? `status ${status} from "${serverOf(url)}"`;
  throw new AcmeError(`The authority refuses: ${found}`, { problem: type ?? null, retryAfterMs });
}

function problemOf(text: string): { readonly type?: string; readonly detail?: string } {
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null || typeof parsed !== 'object') return {};
    const { type, detail } = parsed as Record<string, unknown>;
    return {
      ...(typeof type === 'string' ? { type: plainLine(type, SAID_LENGTH_MAX) } : {}),
      ...(typeof detail === 'string' ? { detail: detailText(detail) } : {}),
    };
  } catch {
    return {}; // Some proxy's page: its status says enough.
  }
}

/** What is said in a problem document is a stranger's text, which becomes part of the ledger and of what users are shown. */
export function detailText(detail: string): string {
  return plainLine(detail, SAID_LENGTH_MAX);
}

/** RFC 9110 10.2.3: seconds, or a date. */
function retryAfterOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}
