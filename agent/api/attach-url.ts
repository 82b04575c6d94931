import type { Duplex } from 'node:stream';
import type { ApiRequest } from './api.ts';

/** Where a client attaches to a process: once, and soon. */
export function attachUrlOf({ api, baseUrl }: ApiRequest, stream: Duplex, hasTty: boolean): string {
  const secret = api.attachSessions.open({ stream, hasTty });
  const { protocol, hostname, port } = new URL(baseUrl);
  // The scheme has no default port, so that its URLs always name one.
  return `rendezvous://${hostname}:${port || (protocol === 'https:' ? 443 : 80)}/${secret}`;
}
