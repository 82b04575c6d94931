import type { ApiRequest } from './api.ts';
import type { AttachSession } from './attach-sessions.ts';

/** Where a client attaches to a process: once, and soon. */
export function attachUrlOf(request: ApiRequest, session: Omit<AttachSession, 'ended'>): string {
  const { api, baseUrl } = request;
  const watch = api.openStreams.watch(request.grant('operate'));
  session.stream.once('close', () => watch[Symbol.dispose]());
  const secret = api.attachSessions.open({ ...session, ended: watch.signal });
  const { protocol, hostname, port } = new URL(baseUrl);
  // The scheme has no default port, so that its URLs always name one.
  return `rendezvous://${hostname}:${port || (protocol === 'https:' ? 443 : 80)}/${secret}`;
}
