import type { Grant } from '../../src/platform/grant.ts';
import type { ApiRequest } from './api.ts';
import type { AttachSession } from './attach-sessions.ts';

/**
 * Where a client attaches to a process: once, and soon.
 * @param grant from before the process was started: by now its app may have another name, or be gone
 */
export function attachUrlOf(
  { api, baseUrl }: ApiRequest,
  grant: Grant,
  session: Omit<AttachSession, 'ended'>,
): string {
  const watch = api.openStreams.watch(grant);
  const forget = (): void => watch[Symbol.dispose]();
  if (session.stream.closed) forget();
  else session.stream.once('close', forget);
  const secret = api.attachSessions.open({ ...session, ended: watch.signal });
  const { protocol, hostname, port } = new URL(baseUrl);
  // The scheme has no default port, so that its URLs always name one.
  return `rendezvous://${hostname}:${port || (protocol === 'https:' ? 443 : 80)}/${secret}`;
}
