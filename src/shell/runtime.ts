import type { Duplex, Readable } from 'node:stream';
import type { DynoSize } from '../dyno-sizes.ts';
import type { AppId, DynoId } from '../ids.ts';
import type { SlugFiles } from './slug-files.ts';

/** All that a driver needs to run one dyno. */
export type DynoSpec = {
  readonly dyno: DynoId;
  readonly app: AppId;
  /** `web.1`, `run.1234`. */
  readonly name: string;
  /** Shell command, run by `bash -c` after `.profile.d/*.sh` and `.profile`, in `/app` or its like. */
  readonly command: string;
  readonly slug: SlugFiles;
  /** Config vars and platform vars, PORT excepted; never put in argv. */
  readonly env: Readonly<Record<string, string>>;
  /** Give it a port in $PORT and report `listening`. */
  readonly web: boolean;
  /** Its quotas of memory, CPU and processes. */
  readonly size: DynoSize;
  /** Folders that outlive the dyno. */
  readonly volumes: readonly VolumeMount[];
  /** One-off with a client: stdio through `attach`, not to the log; `tty` gives it a terminal of this size. */
  readonly attach: null | {
    readonly tty: null | { readonly columns: number; readonly rows: number; readonly term: string };
  };
  /** Kept with the dyno and given back by `list` after an agent restart. */
  readonly labels: Readonly<Record<string, string>>;
};

/** `source`, a folder of this host, is seen by the dyno at `path`. */
export type VolumeMount = { readonly source: string; readonly path: string };

/** Where this peer's router finds a web dyno. */
export type DynoAddress = { readonly host: string; readonly port: number };

export type RuntimeEvent =
  | { readonly tag: 'started'; readonly dyno: DynoId; readonly address: DynoAddress | null }
  /** Its port accepts: at this address, which may be of another family than the one given at the start. */
  | { readonly tag: 'listening'; readonly dyno: DynoId; readonly address: DynoAddress }
  | {
      readonly tag: 'exited';
      readonly dyno: DynoId;
      readonly status: number | null;
      readonly signal: string | null;
      /** The kernel ended it for its memory. */
      readonly outOfMemory: boolean;
    }
  /** Whether dynos can be started here: false while the Engine is away, with what a person should know. */
  | { readonly tag: 'available'; readonly on: boolean; readonly reason: string }
  /** A line of its output, in order; `seq` per dyno has gaps only where the ring overflowed. */
  | {
      readonly tag: 'output';
      readonly dyno: DynoId;
      readonly seq: number;
      readonly timeUs: number;
      readonly text: string;
    };

/** What happened to one dyno. */
export type DynoRuntimeEvent = Extract<RuntimeEvent, { readonly dyno: DynoId }>;

/** A dyno that the driver found alive (or ended while no agent looked) when the agent started. */
export type FoundDyno = {
  readonly dyno: DynoId;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: DynoAddress | null;
  readonly listening: boolean;
  readonly exited: null | {
    readonly status: number | null;
    readonly signal: string | null;
    readonly outOfMemory: boolean;
  };
};

/** What a dyno uses now. `memory` counts what Heroku counts: resident and swapped, with the page cache apart. */
export type DynoStats = {
  readonly rssMiB: number;
  readonly swapMiB: number;
  readonly cacheMiB: number;
  /** CPU time of its life so far, all cores. */
  readonly cpuSeconds: number;
  readonly processes: number;
};

/** A command in a running dyno, beside its own process, with the dyno's environment, files and user. */
export type ExecSpec = {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly tty: null | { readonly columns: number; readonly rows: number; readonly term: string };
};

export type ExecSession = {
  /** Stdio: bytes both ways; ends when the command has ended. Destroying it ends the command. */
  readonly stdio: Duplex;
  resize(columns: number, rows: number): Promise<void>;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
};

/** One way of running dynos. `docker` and `process` pass one contract suite: test/contract/runtime.ts. */
export interface Runtime extends AsyncDisposable {
  readonly kind: 'process' | 'docker';
  /** One truthful sentence for `kith peers`. */
  readonly isolation: string;
  /** Address at which dyno and router of this peer meet: what stands for `kith.internal` in its dynos. */
  readonly internalHost: string;
  onEvent(handler: (event: RuntimeEvent) => void): void;
  /** Dynos that outlived the last agent. Output they made meanwhile follows as events, from after `lastSeq`. */
  list(lastSeq: (dyno: DynoId) => number): Promise<readonly FoundDyno[]>;
  /** Unpacks a slug ahead of need, so that a start is only a spawn. Idempotent. */
  prepare(slug: SlugFiles): Promise<void>;
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
  /** Null when the dyno is gone. */
  stats(dyno: DynoId): Promise<DynoStats | null>;
  /** Runs a command inside; rejects `not_found` when the dyno is gone. It ends with the dyno at the latest. */
  exec(dyno: DynoId, spec: ExecSpec): Promise<ExecSession>;
  /** A file or folder of a running dyno as a tar stream, named by its last part; rejects `not_found`. */
  copyOut(dyno: DynoId, path: string): Promise<Readable>;
  /**
   * Lets dynos through to exactly these TCP ports of `internalHost`, where the router listens. The latest call counts;
   * idempotent; rejects `unavailable` when it cannot be done, to be tried again.
   */
  allowPorts(numbers: readonly number[]): Promise<void>;
  /** Ends all dynos and the driver's own processes. Disposing alone leaves dynos running for the next agent. */
  shutdown(): Promise<void>;
}
