import type { Hlc } from '../ledger/hlc.ts';
import type { DynoId } from '../ids.ts';
import type { DynoAddress } from '../shell/runtime.ts';
import type { Now } from '../step.ts';
import type { WantedSlot } from '../placement/types.ts';

/** The life of one dyno on this peer, from claim to gone. Times are mono ms. */
export type DynoLife = {
  readonly dyno: DynoId;
  readonly slot: WantedSlot;
  readonly claimedAt: Hlc;
  /** Wall ms of the last phase change. */
  readonly since: number;
  /** When its process was launched. `mono` is negative for one that is older than the agent. */
  readonly launchedAt: Now;
  /** It is due to be replaced by a fresh one: see `cycling.ts`. */
  readonly isCycling: boolean;
  /** Consecutive crashes before this start. */
  readonly crashes: number;
  /** Where our router finds it; null for what serves nothing. */
  readonly address: DynoAddress | null;
  readonly state: DynoState;
};

export type DynoState =
  | { readonly tag: 'fetching'; readonly deadline: number }
  | { readonly tag: 'starting'; readonly deadline: number }
  | { readonly tag: 'up'; readonly at: number }
  /** Out of every route table, waiting for its requests to end. */
  | { readonly tag: 'draining'; readonly deadline: number }
  /** SIGTERM was sent; at `killAt` comes SIGKILL, and again every 5 s while `killed` and not gone. */
  | { readonly tag: 'stopping'; readonly killAt: number; readonly killed: boolean }
  | { readonly tag: 'crashed'; readonly retryAt: number }
  | { readonly tag: 'gone' };

export type DynoEvent =
  | { readonly tag: 'slug'; readonly ok: boolean; readonly reason?: string }
  | { readonly tag: 'started'; readonly address: DynoAddress | null }
  /** The port accepts, at this address. */
  | { readonly tag: 'ready'; readonly address: DynoAddress }
  | {
      readonly tag: 'exited';
      readonly status: number | null;
      readonly signal: string | null;
      readonly outOfMemory: boolean;
    }
  /** It could not be started at all: no slug, no memory, the driver failed. */
  | { readonly tag: 'failed'; readonly reason: string }
  | { readonly tag: 'stop' }
  /** It has been up for so long that a fresh one is to take its place. */
  | { readonly tag: 'cycle' }
  /** The router holds no request for it any more. */
  | { readonly tag: 'drained' }
  | { readonly tag: 'tick' };

export type DynoEffect =
  | { readonly tag: 'fetchSlug' }
  | { readonly tag: 'start' }
  /** Tell the router to report when no request is left. */
  | { readonly tag: 'drain' }
  | { readonly tag: 'signal'; readonly signal: 'SIGTERM' | 'SIGKILL' }
  /** A line of `heroku[web.1]`, in Heroku's words. */
  | { readonly tag: 'log'; readonly text: string };
