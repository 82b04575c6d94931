import type { DynoId, PeerId } from '../../src/ids.ts';
import type { RouterLog } from '../../src/shell/router.ts';
import type { Deadlines } from './deadlines.ts';
import type { PeerLinks } from './peer-links.ts';
import type { PortRoutes } from './port-routes.ts';
import type { Routes } from './routes.ts';
import type { RouterSettings } from './settings.ts';

/** A connection from a client or from another router, as the end of the process sees it. */
export interface Connection {
  /** Nothing is lost if it is closed now. */
  readonly isIdle: boolean;
  destroy(): void;
}

/** The parts of a router process that its connections share. */
export type RouterCore = {
  readonly settings: RouterSettings;
  readonly routes: Routes;
  readonly ports: PortRoutes;
  readonly links: PeerLinks;
  readonly deadlines: Deadlines;
  /** TLS handshakes of clients that are under way. */
  readonly handshakes: Set<Connection>;
  readonly log: (line: RouterLog) => void;
  /** A connection to this dyno was refused or timed out. */
  readonly suspect: (dyno: DynoId, peer: PeerId) => void;
  /** Set when the process is about to end: connections close after the request they serve. */
  isClosing: boolean;
};
