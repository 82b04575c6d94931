/**
 * What agent and keeper say to each other: JSON records, one a line, on DIR/keeper/keeper.sock. A keeper outlives
 * upgrades of the agent, so records only ever gain optional fields.
 */
export const KEEPER_PROTOCOL = 1;

/** Files of the kernel's, by which a control group bounds a dyno. Null where such a bound is not to be had. */
export type CgroupFiles = {
  /** The pids in a group, one file for each hierarchy; a pid written there moves there. */
  readonly procs: readonly string[];
  /** Has a line `oom_kill N`: how many processes the kernel ended for their memory. */
  readonly oom: string | null;
  readonly pidsMax: string | null;
};

/** How the keeper finds every process of a dyno. */
export type Containment =
  /** A process namespace: all are descendants of bubblewrap's first process, even those that detach. */
  | { readonly tag: 'namespace' }
  /** None: descendants, the session, processes with `marker` in their environment, and all of its user when it has an own. */
  | { readonly tag: 'marker'; readonly marker: string; readonly ownUid: number | null }
  /** Of a command beside a dyno's own: descendants and the session. What gets away belongs to the dyno. */
  | { readonly tag: 'family' };

/** One dyno, ready to run: all decisions are the agent's, so that the keeper stays small and old keepers stay useful. */
export type Launch = {
  readonly dyno: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Environment of argv[0] alone: it holds nothing of the app's. */
  readonly env: Readonly<Record<string, string>>;
  /** User that argv[0] runs as; null for the keeper's own. */
  readonly uid: number | null;
  /** User that the dyno, and nobody else, has in the end; null when it shares the keeper's. */
  readonly ownUid: number | null;
  /** Written to file descriptor 4, where the wrapper reads config vars and command; see `process/wrapper.ts`. */
  readonly secrets: string;
  readonly stdio:
    /** Output goes to the log ring. `outPath` and `inPath` are FIFOs. */
    | { readonly tag: 'log'; readonly outPath: string }
    | { readonly tag: 'pipes'; readonly outPath: string; readonly inPath: string }
    | { readonly tag: 'tty'; readonly columns: number; readonly rows: number };
  readonly containment: Containment;
  /** Polled until it accepts; null: the dyno counts as listening after a moment of life. */
  readonly port: number | null;
  readonly cgroup?: CgroupFiles | null;
  /** Resident and swapped. Who uses more is killed: by the kernel where `cgroup.oom` tells of it, else by the keeper. */
  readonly memoryMiBMax?: number;
};

export type Exit = {
  readonly status: number | null;
  readonly signal: string | null;
  /** It used more memory than it may. */
  readonly outOfMemory?: boolean;
};

/** Begins the reason of a refusal. */
export const NOT_RUNNING = 'it does not run';

/** A dyno as the keeper holds it. */
export type DynoRecord = {
  readonly dyno: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly ownUid: number | null;
  readonly containment: Containment;
  readonly port: number | null;
  readonly listening: boolean;
  /** Loopback address at which its port accepts. */
  readonly host?: string | null;
  readonly exited: Exit | null;
};

/** What the agent knows of a dyno already, so that each event is told once. */
export type Told = { readonly seq: number; readonly listening: boolean; readonly exited: boolean };

export type Request =
  | { readonly tag: 'list' }
  | { readonly tag: 'follow'; readonly told: Readonly<Record<string, Told>> }
  | { readonly tag: 'spawn'; readonly launch: Launch }
  /**
   * Runs `launch` beside `dyno`, after whose config vars `launch.secrets` come. Its stdio is that of a dyno named
   * `launch.dyno`, which must be attached to within 30 s; its end is told like a dyno's.
   */
  | { readonly tag: 'exec'; readonly dyno: string; readonly launch: Launch }
  | { readonly tag: 'signal'; readonly dyno: string; readonly signal: NodeJS.Signals }
  | { readonly tag: 'resize'; readonly dyno: string; readonly columns: number; readonly rows: number }
  | { readonly tag: 'remove'; readonly dyno: string }
  | { readonly tag: 'shutdown' };

/** First line on a connection: the agent's control connection, or the stdio of one dyno. */
export type Greeting =
  | { readonly tag: 'agent'; readonly protocol: number }
  | { readonly tag: 'attach'; readonly dyno: string };

export type KeeperRecord =
  | { readonly tag: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly tag: 'refused'; readonly id: number; readonly reason: string }
  /** Another agent took over: this one must not come back by itself. */
  | { readonly tag: 'superseded' }
  | { readonly tag: 'started'; readonly dyno: string; readonly port: number | null }
  | { readonly tag: 'listening'; readonly dyno: string; readonly host?: string | null }
  | ({ readonly tag: 'exited'; readonly dyno: string } & Exit)
  | {
      readonly tag: 'output';
      readonly dyno: string;
      readonly lines: readonly (readonly [seq: number, timeUs: number, text: string])[];
    };
