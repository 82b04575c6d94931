import type { Duplex } from 'node:stream';
import type { AppId, DynoId } from '../ids.ts';

/** All that a driver needs to run one dyno. */
export type DynoSpec = {
  readonly dyno: DynoId;
  readonly app: AppId;
  /** `web.1`, `run.1234`. */
  readonly name: string;
  /** Shell command, run by `bash -c` after `.profile.d/*.sh` and `.profile`, in `/app` or its like. */
  readonly command: string;
  /** The slug's .tar.zst on disk, and its id, under which an unpacked copy may be kept warm. */
  readonly slugPath: string;
  readonly slugId: string;
  /** Config vars and platform vars, PORT excepted; never put in argv. */
  readonly env: Readonly<Record<string, string>>;
  /** Give it a port in $PORT and report `listening`. */
  readonly web: boolean;
  readonly memoryMiB: number;
  /** One-off with a client: stdio through `attach`, not to the log; `tty` gives it a terminal of this size. */
  readonly attach: null | {
    readonly tty: null | { readonly columns: number; readonly rows: number; readonly term: string };
  };
  /** Kept with the dyno and given back by `list` after an agent restart. */
  readonly labels: Readonly<Record<string, string>>;
};

export type RuntimeEvent =
  | { readonly tag: 'started'; readonly dyno: DynoId; readonly port: number | null }
  | { readonly tag: 'listening'; readonly dyno: DynoId }
  | {
      readonly tag: 'exited';
      readonly dyno: DynoId;
      readonly status: number | null;
      readonly signal: string | null;
    }
  /** A line of its output, in order; `seq` per dyno has gaps only where the ring overflowed. */
  | {
      readonly tag: 'output';
      readonly dyno: DynoId;
      readonly seq: number;
      readonly timeUs: number;
      readonly text: string;
    };

/** A dyno that the driver found alive (or ended while no agent looked) when the agent started. */
export type FoundDyno = {
  readonly dyno: DynoId;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number | null;
  readonly listening: boolean;
  readonly exited: null | { readonly status: number | null; readonly signal: string | null };
};

/** One way of running dynos. `docker` and `process` pass one contract suite: test/contract/runtime.ts. */
export interface Runtime extends AsyncDisposable {
  readonly kind: 'process' | 'docker';
  /** One truthful sentence for `kith peers`. */
  readonly isolation: string;
  onEvent(handler: (event: RuntimeEvent) => void): void;
  /** Dynos that outlived the last agent. Output they made meanwhile follows as events, from after `lastSeq`. */
  list(lastSeq: (dyno: DynoId) => number): Promise<readonly FoundDyno[]>;
  /** Unpacks a slug ahead of need, so that a start is only a spawn. Idempotent. */
  prepare(slugId: string, slugPath: string): Promise<void>;
  /** Resolves once the process runs; rejects with PlatformError when it cannot. */
  start(spec: DynoSpec): Promise<void>;
  /** To every process of the dyno. No error when it is gone. */
  signal(dyno: DynoId, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGINT'): Promise<void>;
  /** Stdio of a dyno started with `attach`: bytes both ways; ends when it exits. Once per dyno. */
  attach(dyno: DynoId): Promise<Duplex>;
  resize(dyno: DynoId, columns: number, rows: number): Promise<void>;
  /** Forgets an ended dyno and removes its files. */
  remove(dyno: DynoId): Promise<void>;
  /** Unpacked slugs other than these may go. */
  collect(keepSlugs: ReadonlySet<string>): Promise<void>;
  /** PSS and CPU of a dyno's processes, or null when gone. */
  stats(dyno: DynoId): Promise<null | { readonly memoryMiB: number; readonly cpuSeconds: number }>;
  /** Ends all dynos and the driver's own processes. Disposing alone leaves dynos running for the next agent. */
  shutdown(): Promise<void>;
}
