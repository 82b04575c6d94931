import { PlatformError } from './errors.ts';

/** The name that the URL of a drain is sealed under: equal URLs of one app are equal bytes. */
export const DRAIN_URL_KEY = 'log-drain url';

/** Where a drain's lines go, by how they are carried. */
export type DrainTarget =
  | {
      readonly via: 'syslog';
      readonly host: string;
      readonly port: number;
      /** TLS, with the certificate verified. */
      readonly isSecure: boolean;
    }
  | {
      readonly via: 'http';
      /** Without credentials. */
      readonly url: string;
      /** Of the URL's user and password; null where it has none. */
      readonly authorization: string | null;
    };

const SYSLOG_PORT = 514;
/** RFC 5425. */
const SYSLOG_TLS_PORT = 6514;
const URL_CHARS_MAX = 2_000;
const HINT =
  'Try syslog://HOST:PORT, syslog+tls://HOST:PORT, https://HOST/PATH or https://USER:PASSWORD@HOST/PATH';

/**
 * Any host will do, this machine included: the logs of one's own apps go wherever one's own machines may send them.
 * @throws PlatformError `invalid_params`, which does not repeat the URL: it may hold a password
 */
export function parseDrainUrl(text: string): DrainTarget {
  if (text.length > URL_CHARS_MAX) throw bad(`it has more than ${URL_CHARS_MAX} characters`);
  if (!/^[\x21-\x7e]+$/.test(text)) throw bad('it has characters that no URL has');
  const url = URL.parse(text);
  if (url === null || url.hostname === '') throw bad('found no SCHEME://HOST in it');
  if (url.hash !== '') throw bad('it has a part after "#", which is never sent');
  switch (url.protocol) {
    case 'syslog:':
      return syslog(url, SYSLOG_PORT, false);
    case 'syslog+tls:':
      return syslog(url, SYSLOG_TLS_PORT, true);
    case 'http:':
    case 'https:':
      return http(url);
    default:
      throw bad(`its scheme is "${url.protocol.slice(0, -1)}"`);
  }
}

/** The URL for those who may not see its secrets: scheme, host and port. Receivers have tokens in paths and queries, too. */
export function hideSecrets(text: string): string {
  const url = URL.parse(text);
  if (url === null) return '';
  if (url.username !== '' || url.password !== '') {
    url.username = 'xxxxx';
    url.password = 'xxxxx';
  }
  if (!['', '/'].includes(url.pathname)) url.pathname = '/xxxxx';
  if (url.search !== '') url.search = '?xxxxx';
  return url.href;
}

function syslog(url: URL, defaultPort: number, isSecure: boolean): DrainTarget {
  if (url.username !== '' || url.password !== '') throw bad('syslog has no users and passwords');
  if (!['', '/'].includes(url.pathname) || url.search !== '') throw bad('syslog has no paths');
  const port = url.port === '' ? defaultPort : Number(url.port);
  if (port === 0) throw bad('there is no port 0');
  return { via: 'syslog', host: url.hostname.replace(/^\[|\]$/g, ''), port, isSecure };
}

function http(url: URL): DrainTarget {
  const user = decode(url.username);
  const password = decode(url.password);
  url.username = '';
  url.password = '';
  const hasNone = user === '' && password === '';
  const basic = Buffer.from(`${user}:${password}`, 'utf8').toString('base64');
  return { via: 'http', url: url.href, authorization: hasNone ? null : `Basic ${basic}` };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw bad('its user or password has a broken percent-encoding', cause);
  }
}

function bad(found: string, cause?: unknown): PlatformError {
  return new PlatformError('invalid_params', `Url is invalid: ${found}`, { hint: HINT, cause });
}
