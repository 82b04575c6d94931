import type { AppId, DynoId, PeerId } from '../ids.ts';
import type { CertTable } from '../routing/choose-certificate.ts';
import type { RouteTable } from '../routing/table.ts';

/** A line that a router made for an app's log: `heroku[router]`. */
export type RouterLog = { readonly app: AppId; readonly timeUs: number; readonly text: string };

/** At which numbers of `RouteTable.ports` the router listens, and why not at the others. */
export type PortReport = {
  readonly listening: readonly number[];
  readonly failed: readonly { readonly number: number; readonly reason: string }[];
};

/** The agent's hold on its router process, which outlives it. */
export interface RouterHandle extends AsyncDisposable {
  /** For HTTP, and for TLS as well. */
  readonly httpPort: number;
  /** The same once more, where one was asked for. */
  readonly httpsPort: number | null;
  /** Mutual TLS listener for other peers' routers. */
  readonly proxyPort: number;
  /** Resolves once the router process serves by this table. */
  setTable(table: RouteTable): Promise<void>;
  /** What it is to speak TLS with. It is sent again to a process that was started anew. */
  setCerts(table: CertTable): void;
  onLog(handler: (log: RouterLog) => void): void;
  /** A connection to this dyno was refused or timed out. */
  onSuspect(handler: (dyno: DynoId, peer: PeerId) => void): void;
  /** Called with the latest report, now if there was one, and after each change. A router of an older version says nothing. */
  onPorts(handler: (report: PortReport) => void): void;
  /** Resolves when the router process holds no request for this local dyno. */
  drained(dyno: DynoId, signal: AbortSignal): Promise<void>;
  /** Finishes what it serves (bounded by graceMs), then ends the process. Disposing alone leaves it running. */
  shutdown(graceMs: number): Promise<void>;
}
