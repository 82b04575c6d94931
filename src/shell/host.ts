import type { Duplex } from 'node:stream';
import type { AppId, DynoId, OpId, PeerId, ReleaseId, SlotKey } from '../ids.ts';
import type { PeerFacts, Verdict } from '../facts.ts';
import type { Command, CommandContext } from '../ledger/command.ts';
import type { View } from '../ledger/view.ts';
import type { Op } from '../ledger/op.ts';

/** What another peer looks like from here. */
export type PeerStatus = {
  readonly peer: PeerId;
  readonly verdict: Verdict;
  readonly facts: PeerFacts | null;
};

/** A one-off dyno that somebody asked for. */
export type OneOffRequest = {
  readonly app: AppId;
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly size: string | null;
  /** Null for a detached run, whose output goes to the log. */
  readonly attach: null | {
    readonly tty: null | { readonly columns: number; readonly rows: number; readonly term: string };
  };
};

export type OneOff = {
  readonly dyno: DynoId;
  readonly name: string;
  readonly peer: PeerId;
  readonly release: ReleaseId;
  /** Present when asked to attach: see `agent/one-offs/attach-frames.ts` for what travels on it. */
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
  seal(app: AppId, key: string, value: string): Uint8Array;
  open(app: AppId, key: string, sealed: Uint8Array): string;
  /** Runs it on whichever peer has room. */
  runOneOff(request: OneOffRequest, context: CommandContext): Promise<OneOff>;
  /** Stops one dyno (by name) wherever it runs: a one-off ends, a formation dyno is started again. */
  stopDyno(app: AppId, name: string): Promise<void>;
  /** A pasteable token that lets one host join. */
  invite(context: CommandContext, ttlMs: number): Promise<string>;
  /** Joins the cluster of a token: only while this peer is alone and has no apps. */
  join(token: string): Promise<void>;
  /** Hands everything over to others, start-first. Resolves when nothing runs here. */
  drain(on: boolean): Promise<void>;
}
