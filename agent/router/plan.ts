import type { AppId } from '../../src/ids.ts';
import type { HCode } from '../../src/routing/codes.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import type { Failure } from './failures.ts';

/** Where a request goes now. */
export type Step =
  | { readonly tag: 'try'; readonly target: RouteTarget }
  | { readonly tag: 'hold' }
  | { readonly tag: 'refuse'; readonly refusal: Refusal };

/** Why a request is not served. */
export type Refusal = HCode | 'no-such-app' | Failure;

/** What became of one request. */
export type Outcome = {
  /** Null when the dyno's response went through whole. */
  readonly code: HCode | null;
  readonly target: RouteTarget | null;
  /** Of the dyno's response; null when it gave none. */
  readonly status: number | null;
  readonly connectMs: number | null;
  readonly serviceMs: number | null;
  readonly bytes: number;
};

/**
 * What differs between a request of a client (choose a dyno, try others, log) and one that another peer's router
 * relays (this dyno or none). `Exchange` does the rest for both.
 */
export interface Plan {
  /** The app whose changes a held request waits for. */
  readonly app: AppId | null;
  /** From a peer's router, not from a client. */
  readonly isRelay: boolean;
  readonly firstByteMs: number;
  /** @param isOverdue it was held for as long as one may be */
  next(isOverdue: boolean): Step;
  /** @param closes the dyno shall close the connection after this request */
  requestHead(target: RouteTarget, connectMs: number, closes: boolean): string;
  /** Learns from a failed attempt. */
  onFailure(target: RouteTarget, failure: Failure, isReused: boolean): void;
  /** Whether a request that a dyno may have seen can be sent to another. */
  readonly mayRepeat: boolean;
  /** The whole answer as latin1; null when breaking the connection is the answer. */
  refusal(refusal: Refusal, keepsAlive: boolean): string | null;
  onDone(outcome: Outcome): void;
}
