import type { RouteTarget } from '../../src/routing/table.ts';
import type { Failure } from './failures.ts';
import type { RouterCore } from './router-core.ts';

/**
 * What one failed attempt teaches all that come after it: whom not to ask for a while, and what the agent is to look into.
 * @param isReused the connection had carried requests before: it may have died long ago, which says nothing of the peer
 */
export function learn(
  { routes, settings, links, suspect }: RouterCore,
  { dyno, peer }: RouteTarget,
  failure: Failure,
  isReused: boolean,
): void {
  switch (failure) {
    case 'refused':
    case 'timeout':
      routes.eject(dyno, settings.ejectMs);
      return suspect(dyno, peer);
    case 'no-such-dyno':
      return routes.eject(dyno, settings.ejectMs);
    case 'peer-refused':
    case 'peer-timeout':
    case 'peer-stranger':
      routes.eject(peer, settings.peerEjectMs);
      return suspect(dyno, peer);
    case 'peer-lost':
      links.dropIdle(peer);
      if (!isReused) routes.eject(peer, settings.peerLostMs);
      return;
    case 'closed':
    case 'interrupted':
    case 'malformed':
    case 'oversized':
  }
}
