import type { DynoId, PeerId } from '../../src/ids.ts';
import type { RouterLog } from '../../src/shell/router.ts';
import type { Deadlines } from './deadlines.ts';
import type { PeerLinks } from './peer-links.ts';
import type { Routes } from './routes.ts';
import type { RouterSettings } from './settings.ts';

/** The parts of a router process that its connections share. */
export type RouterCore = {
  readonly settings: RouterSettings;
  readonly routes: Routes;
  readonly links: PeerLinks;
  readonly deadlines: Deadlines;
  readonly log: (line: RouterLog) => void;
  /** A connection to this dyno was refused or timed out. */
  readonly suspect: (dyno: DynoId, peer: PeerId) => void;
  /** Set when the process is about to end: connections close after the request they serve. */
  isClosing: boolean;
};
