import type { DynoId, PeerId } from '../../src/ids.ts';
import type { CertTable } from '../../src/routing/choose-certificate.ts';
import type { RouteTable } from '../../src/routing/table.ts';
import type { PortReport } from '../../src/shell/router.ts';
import type { LogBatch } from './log-buffer.ts';
import type { RouterSettings } from './settings.ts';

/** Where a router process listens; given to it as JSON in its second argument, after its DIR. */
export type ListenOptions = {
  readonly host: string;
  readonly port: number;
  /** Of a second listener, for the port that browsers take for https; null: there is none. Either port takes HTTP and TLS. */
  readonly httpsPort: number | null;
  readonly proxyHost: string;
  readonly proxyPort: number;
  readonly settings?: Partial<RouterSettings>;
};

/** What the agent says on the control socket, one JSON record a line. */
export type AgentMessage =
  /** `keys`: raw Ed25519 keys (hex) of the table's members, so that the router need not decode ids. */
  | {
      readonly t: 'table';
      readonly n: number;
      readonly table: RouteTable;
      readonly keys: Readonly<Record<string, PeerId>>;
    }
  /** Holds private keys: see `CertTable`. */
  | { readonly t: 'certs'; readonly table: CertTable }
  | { readonly t: 'drain'; readonly n: number; readonly dyno: DynoId }
  | { readonly t: 'shutdown'; readonly graceMs: number };

/** What the router answers. Before all else comes `hello`, or `failed` and the end. */
export type RouterMessage =
  | {
      readonly t: 'hello';
      readonly pid: number;
      readonly httpPort: number;
      readonly httpsPort: number | null;
      readonly proxyPort: number;
    }
  | { readonly t: 'failed'; readonly message: string; readonly hint: string }
  /** It serves by the table of this number. */
  | { readonly t: 'served'; readonly n: number }
  | { readonly t: 'drained'; readonly n: number }
  | { readonly t: 'suspect'; readonly dyno: DynoId; readonly peer: PeerId }
  | ({ readonly t: 'ports' } & PortReport)
  | ({ readonly t: 'logs' } & LogBatch);
