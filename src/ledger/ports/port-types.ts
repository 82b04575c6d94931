import type { AppId, ProcessType } from '../../ids.ts';
import type { Hlc } from '../hlc.ts';

/** Process types whose dynos are reached over TCP, from every dyno of the cluster, at a number of their own. */
export type PortBody =
  /** Opens a process type at a number, or at another one than before; null closes it. */
  {
    readonly kind: 'port.set';
    readonly app: AppId;
    readonly type: ProcessType;
    readonly number: number | null;
    /** The time of the latest of these ops that the writer knew of, which a clock that is behind does not tell. */
    readonly seen?: Hlc | undefined;
  };

export type PortCommand =
  /** No number: the one that it had when it was open before, if that is free, or else another that is. */
  | {
      readonly type: 'port.open';
      readonly app: AppId;
      readonly process: string;
      readonly number: number | null;
    }
  | { readonly type: 'port.close'; readonly app: AppId; readonly process: string };

export type Port = {
  readonly type: ProcessType;
  /** No other port of the cluster has it. */
  readonly number: number;
  /** What it was to have: two sides of a split may have given one number twice, and then the later has another. */
  readonly wantedNumber: number;
  readonly openedAt: number;
};

/** Above the ports that Linux gives to whoever connects (32768 to 60999), so that none of them is in use by chance. */
export const PORT_NUMBER_MIN = 61_001;
export const PORT_NUMBER_MAX = 64_999;
