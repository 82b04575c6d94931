import { parseFraming } from './body-length.ts';
import { parseHeaderLines } from './header-lines.ts';
import {
  rejected,
  REQUEST_LIMITS,
  TOKEN,
  type BodyLength,
  type Header,
  type Rejection,
} from './http-syntax.ts';

/** A request's head that means one thing only. */
export type RequestHead = {
  readonly tag: 'request';
  readonly method: string;
  /** Origin form (`/path?query`) or `*`. */
  readonly target: string;
  readonly minor: 0 | 1;
  readonly headers: readonly Header[];
  /** As sent, with its port; empty only in HTTP/1.0. */
  readonly host: string;
  readonly body: Exclude<BodyLength, 'close'>;
  readonly connection: readonly string[];
  /** What the client wants to speak next (`websocket`), else null. */
  readonly upgrade: string | null;
  readonly expectsContinue: boolean;
};

const METHOD_BYTES_MAX = 127;
// A registered name or IPv4 address, or an IPv6 address in brackets, and a port.
const HOST = /^(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?$/;

/** @param text the head as latin1, from its first line to the empty line that ends it, as `HeadScan` found it */
export function parseRequestHead(text: string): RequestHead | Rejection {
  const lines = parseHeaderLines(text, REQUEST_LIMITS);
  if ('tag' in lines) return lines;
  const line = parseRequestLine(lines.first);
  if ('tag' in line) return line;
  const { method, minor } = line;
  const host = findHost(lines.headers, minor);
  if (typeof host !== 'string') return host;
  const target = originForm(line.target, method, host);
  if (typeof target !== 'string') return target;
  const framing = parseFraming(lines.headers, minor);
  if ('tag' in framing) return framing;
  const expect = lines.headers.find((header) => header.key === 'expect')?.value.toLowerCase();
  if (expect !== undefined && expect !== '100-continue') {
    return rejected(417, 'unsupported expect header value');
  }
  return {
    tag: 'request',
    method,
    target,
    minor,
    headers: lines.headers,
    host,
    body: framing.body ?? 0,
    connection: framing.connection,
    upgrade: minor === 1 && framing.connection.includes('upgrade') ? allowedUpgrade(framing.upgrade) : null,
    expectsContinue: expect !== undefined && minor === 1,
  };
}

function parseRequestLine(line: string): { method: string; target: string; minor: 0 | 1 } | Rejection {
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (first <= 0 || last === first) return rejected(400, 'a request line that is not METHOD TARGET VERSION');
  const method = line.slice(0, first);
  if (!TOKEN.test(method) || method.length > METHOD_BYTES_MAX) return rejected(400, 'a bad method');
  const version = line.slice(last + 1);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    return /^HTTP\/[0-9]\.[0-9]$/.test(version)
      ? rejected(505, 'a version other than HTTP/1.1 and HTTP/1.0')
      : rejected(400, 'a bad version');
  }
  if (method === 'CONNECT') return rejected(405, 'CONNECT');
  return { method, target: line.slice(first + 1, last), minor: version === 'HTTP/1.1' ? 1 : 0 };
}

function findHost(headers: readonly Header[], minor: 0 | 1): string | Rejection {
  let host: string | null = null;
  for (const header of headers) {
    if (header.key !== 'host') continue;
    if (host !== null) return rejected(400, 'more than one Host');
    host = header.value;
  }
  if (host === null) return minor === 0 ? '' : rejected(400, 'no Host');
  return HOST.test(host) ? host : rejected(400, 'a bad Host');
}

/** A proxy's absolute form is brought into origin form; its authority must be the Host, lest two hops route by two names. */
function originForm(target: string, method: string, host: string): string | Rejection {
  if (/[\t #]/.test(target)) return rejected(400, 'a blank or a fragment in the target');
  if (target.startsWith('/')) return target;
  if (target === '*' && method === 'OPTIONS') return target;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  if (absolute === null) return rejected(400, 'a bad target');
  const [, authority = '', path = ''] = absolute;
  if (authority.toLowerCase() !== host.toLowerCase()) return rejected(400, 'a target that contradicts Host');
  return path.startsWith('/') ? path : `/${path}`;
}

/** h2c is left out: its upgrade would carry later requests past us unseen (and RFC 9113 has withdrawn it). */
function allowedUpgrade(upgrade: string | null): string | null {
  return upgrade === null || /\bh2c\b/i.test(upgrade) ? null : upgrade;
}
