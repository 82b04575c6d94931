import type { AppId, BlobId, DynoId, PeerId, ProcessType, ReleaseId, SlotKey } from './ids.ts';
import type { Hlc } from './ledger/hlc.ts';

/** What a dyno is doing, as peers, routers and `ps` see it. Only `up` is routed. */
export type DynoPhase = 'fetching' | 'starting' | 'up' | 'draining' | 'stopping' | 'crashed';

/**
 * One dyno that a peer runs. Publishing it is the claim to its slot. During a rolling change one slot has two: the
 * old generation and its replacement, both on the same peer.
 */
export type DynoFact = {
  readonly slot: SlotKey;
  readonly dyno: DynoId;
  readonly app: AppId;
  readonly type: ProcessType;
  readonly index: number;
  readonly release: ReleaseId;
  /** Release and restart requests together: a dyno whose generation is not the wanted one is replaced. */
  readonly generation: string;
  /** When this peer first claimed the slot (kept across generations): of two claims the older stays. */
  readonly claimedAt: Hlc;
  readonly phase: DynoPhase;
  /** Wall ms of the last phase change, for display. */
  readonly since: number;
  readonly size: string;
  readonly command: string;
  /** Where this peer's router finds it; only `up` dynos with a port are routed. */
  readonly port: number | null;
  /** Consecutive crashes of this slot here. */
  readonly crashes: number;
  /** It has been up for a day and is being replaced by a fresh one of the same generation. */
  readonly cycling?: true;
};

/** A one-off dyno (`run.1234`): shown by `ps`, never placed or moved. */
export type OneOffFact = {
  readonly dyno: DynoId;
  readonly app: AppId;
  readonly name: string;
  readonly release: ReleaseId;
  readonly command: string;
  readonly size: string;
  readonly phase: 'starting' | 'up';
  readonly since: number;
};

/** A one-off by the id that the request gave it which made it. */
export type TookOneOff = Pick<OneOffFact, 'dyno' | 'name' | 'release'>;

/** What a peer says of itself; nobody else writes it. Highest (incarnation, counter) wins. */
export type PeerFacts = {
  readonly peer: PeerId;
  /** Persisted; one more at every start of the agent. */
  readonly incarnation: number;
  readonly counter: number;
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** e.g. `process` and `bubblewrap: own files, processes and IPC; shared network`. */
  readonly runtime: string;
  readonly isolation: string;
  /** Why no dyno can be started here now, e.g. `the Docker Engine does not answer`; absent while one can. */
  readonly runtimeDown?: string;
  /** It has been so for too long: its dynos are given to whoever can run them. */
  readonly dynosLost?: true;
  readonly labels: Readonly<Record<string, string>>;
  readonly addrs: {
    /** libp2p multiaddrs without the peer id. */
    readonly mesh: readonly string[];
    /** host:port for people: API and HTTP routing. */
    readonly api: string;
    readonly http: string;
    /** host:port of the router's mutual TLS listener for other peers. */
    readonly proxy: string;
  };
  readonly capacity: { readonly memoryMiB: number; readonly cpus: number };
  /** 1-minute load average, one decimal; changes under 0.5 are not published. */
  readonly load: number;
  readonly draining: boolean;
  readonly dynos: readonly DynoFact[];
  readonly oneOffs: readonly OneOffFact[];
  /** Those that it took in the last minutes, over or not: a repeated request finds the one that it made. */
  readonly tookOneOffs?: readonly TookOneOff[];
  /** Blobs held: slugs and sources. */
  readonly blobs: readonly BlobId[];
  /** Slots that failed here thrice lately: this peer ranks last for them. */
  readonly shy: readonly SlotKey[];
};

/** How a peer looks from here. `gone` is `down` with proof (refused ports, or a goodbye). */
export type Verdict = 'alive' | 'unreachable' | 'restarting' | 'down' | 'gone';
