import { CODES, type CodeInfo, type HCode } from './codes.ts';

/** What one request left behind. Null is what never came to be known: it is logged as nothing, as on Heroku. */
export type RequestRecord = {
  readonly code: HCode | null;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly requestId: string;
  /** X-Forwarded-For as the dyno saw it. */
  readonly fwd: string;
  /** `web.1` */
  readonly dyno: string | null;
  readonly connectMs: number | null;
  readonly serviceMs: number | null;
  readonly status: number;
  /** Of the response's body. */
  readonly bytes: number | null;
  readonly protocol: 'http' | 'https';
  /** `TLSv1.3`, as OpenSSL calls it; null where the client spoke no TLS to us. */
  readonly tlsVersion: string | null;
};

const PATH_CHARS_MAX = 4096;

/** The message of a `heroku[router]` line. */
export function routerLogLine(record: RequestRecord): string {
  const info: CodeInfo | null = record.code === null ? null : CODES[record.code];
  const cause = info?.cause === undefined ? '' : ` cause="${info.cause}"`;
  const head = info === null ? 'at=info' : `at=${info.at} code=${record.code}${cause} desc="${info.desc}"`;
  const sock = info?.sock === undefined ? '' : ` sock=${info.sock}`;
  const tls = record.tlsVersion === null ? '' : ` tls=true tls_version=${lowerVersion(record.tlsVersion)}`;
  return (
    `${head} method=${record.method} path="${quotable(record.path)}" host=${record.host}` +
    ` request_id=${record.requestId} fwd="${quotable(record.fwd)}" dyno=${record.dyno ?? ''}` +
    ` connect=${inMs(record.connectMs)} service=${inMs(record.serviceMs)} status=${record.status}` +
    ` bytes=${record.bytes ?? ''} protocol=${record.protocol}${tls}${sock}`
  );
}

/** A client chooses these texts: a quote in one must not end the field and begin another. */
function quotable(text: string): string {
  return text.slice(0, PATH_CHARS_MAX).replaceAll('"', '%22');
}

/** `tls1.3` */
function lowerVersion(version: string): string {
  return version.toLowerCase().replace('v', '');
}

function inMs(ms: number | null): string {
  return ms === null ? '' : `${Math.round(ms)}ms`;
}
