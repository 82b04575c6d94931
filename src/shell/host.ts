import type { Duplex, Readable } from 'node:stream';
import type { AddonId, AppId, DynoId, OpId, PeerId, PipelineId, ReleaseId, SlotKey } from '../ids.ts';
import type { DynoUsage } from '../dyno-usage.ts';
import type { PeerFacts, Verdict } from '../facts.ts';
import type { Command, CommandContext } from '../ledger/command.ts';
import type { Op } from '../ledger/op.ts';
import type { View } from '../ledger/view.ts';
import type { ExecSpec } from './runtime.ts';

/** Whose a sealed value is: it opens for no other. */
export type SealOwner = AppId | AddonId | PipelineId | 'cluster';

/** What another peer looks like from here. */
export type PeerStatus = {
  readonly peer: PeerId;
  readonly verdict: Verdict;
  readonly facts: PeerFacts | null;
};

/** Blobs that a collection removed, and what is left. */
export type Collected = {
  readonly removed: number;
  readonly bytes: number;
  readonly kept: number;
  readonly keptBytes: number;
};

/** A one-off dyno that somebody asked for. */
export type OneOffRequest = {
  readonly app: AppId;
  /** The same for the same request of a client, which is then carried out once; a fresh one unless said. */
  readonly dyno?: DynoId;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly size: string | null;
  /** Null for a detached run, whose output goes to the log. */
  readonly attach: null | {
    readonly tty: null | { readonly columns: number; readonly rows: number; readonly term: string };
  };
  /** What its name begins with; `run` unless said. */
  readonly type?: string;
  /** It is ended after so long; a day unless said. */
  readonly ttlMs?: number;
};

/** A running dyno and the peer that runs it, as its facts said. */
export type DynoPlace = Pick<OneOff, 'dyno' | 'name' | 'peer'> & { readonly app: AppId };

export type OneOff = {
  readonly dyno: DynoId;
  readonly name: string;
  readonly peer: PeerId;
  readonly release: ReleaseId;
  /** Present when asked to attach: see `src/platform/attach-frames.ts` for what travels on it. */
  readonly attach: Duplex | null;
};

/**
 * The running peer as API, git and CLI handlers see it: one object, made by `agent/main.ts`. Reading is free and
 * synchronous; writing is a command, answered once this peer's own state holds the result.
 */
export interface PeerHost {
  readonly self: PeerId;
  view(): View;
  peers(): readonly PeerStatus[];
  /** Slots that no peer can run now, and why. */
  unplaced(): readonly { readonly slot: SlotKey; readonly reason: string }[];
  /** Throws PlatformError. Resolves with the ops that hold the result. */
  command(command: Command, context: CommandContext): Promise<readonly OpId[]>;
  /** The stored op behind an id, from the store: for `releases:verify`. */
  op(id: OpId): Promise<Op | null>;
  /** Checks every hash, signature and chain link of an app's releases back to v1. */
  verify(app: AppId): Promise<{ readonly checked: number; readonly problems: readonly string[] }>;
  /** Seals a config value so that it may become part of an op; `open` undoes it (throws `unavailable` without the key). */
  seal(owner: SealOwner, key: string, value: string): Uint8Array;
  open(owner: SealOwner, key: string, sealed: Uint8Array): string;
  /** Runs it on whichever peer has room. */
  runOneOff(request: OneOffRequest, context: CommandContext): Promise<OneOff>;
  /** Runs a command inside a running dyno, wherever that is. Resolves with the attach stream of the command. */
  execIn(place: DynoPlace, spec: ExecSpec, context: CommandContext): Promise<Duplex>;
  /** A file or folder of a running dyno as a tar stream; rejects `not_found`. */
  copyFrom(place: DynoPlace, path: string, context: CommandContext): Promise<Readable>;
  /** What the app's dynos use just now, asked of the peers that run them; those that do not answer in time are left out. */
  usage(app: AppId): Promise<readonly DynoUsage[]>;
  /** Stops one dyno (by name) wherever it runs: a one-off ends, a formation dyno is started again. */
  stopDyno(app: AppId, name: string): Promise<void>;
  /** A pasteable token that lets one host join. */
  invite(context: CommandContext, ttlMs: number): Promise<string>;
  /** Joins the cluster of a token: only while this peer is alone and has no apps. */
  join(token: string): Promise<void>;
  /** Removes from this peer's disk what no release in reach of a rollback needs. */
  collect(): Promise<Collected>;
  /** Hands everything over to others, start-first. Resolves when nothing runs here. */
  drain(on: boolean): Promise<void>;
}
