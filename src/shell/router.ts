import type { AppId, DynoId, PeerId } from '../ids.ts';
import type { RouteTable } from '../routing/table.ts';

/** A line that a router made for an app's log: `heroku[router]`. */
export type RouterLog = { readonly app: AppId; readonly timeUs: number; readonly text: string };

/** The agent's hold on its router process, which outlives it. */
export interface RouterHandle extends AsyncDisposable {
  readonly httpPort: number;
  /** Mutual TLS listener for other peers' routers. */
  readonly proxyPort: number;
  /** Resolves once the router process serves by this table. */
  setTable(table: RouteTable): Promise<void>;
  onLog(handler: (log: RouterLog) => void): void;
  /** A connection to this dyno was refused or timed out. */
  onSuspect(handler: (dyno: DynoId, peer: PeerId) => void): void;
  /** Resolves when the router process holds no request for this local dyno. */
  drained(dyno: DynoId, signal: AbortSignal): Promise<void>;
  /** Finishes what it serves (bounded by graceMs), then ends the process. Disposing alone leaves it running. */
  shutdown(graceMs: number): Promise<void>;
}
