import type { BlobId, OpId, PeerId } from '../../ids.ts';
import type { Sealed } from '../values.ts';
import type { Hlc } from '../hlc.ts';

/** What is written of the cluster as a whole: how it began, its members, its stack images. */
export type ClusterBody =
  | { readonly kind: 'cluster.found'; readonly name: string; readonly caCert: string; readonly caKey: Sealed }
  | {
      readonly kind: 'member.admit';
      readonly peer: PeerId;
      readonly invite: string | null;
      readonly name: string;
    }
  /** `cut`: the last sequence number per epoch of that peer's log that still counts; later ones are kept and ignored. */
  | { readonly kind: 'member.remove'; readonly peer: PeerId; readonly cut: Readonly<Record<string, number>> }
  /** Which blob is the stack image of an architecture: a `.tar.zst` of its root file system. `name` is what an Engine calls it. */
  | {
      readonly kind: 'stack.set';
      readonly name: string;
      readonly arch: string;
      readonly blob: BlobId;
      readonly bytes: number;
    };

export type ClusterCommand =
  | {
      readonly type: 'cluster.found';
      readonly name: string;
      readonly peer: PeerId;
      readonly caCert: string;
      readonly caKey: Sealed;
      readonly key: string;
    }
  | {
      readonly type: 'member.admit';
      readonly peer: PeerId;
      readonly invite: string | null;
      readonly name: string;
    }
  /** `force`: even if volumes go with it. */
  | { readonly type: 'member.remove'; readonly peer: PeerId; readonly force?: boolean }
  | {
      readonly type: 'stack.set';
      readonly name: string;
      readonly arch: string;
      readonly blob: BlobId;
      readonly bytes: number;
    };

export type Member = {
  readonly peer: PeerId;
  readonly name: string;
  readonly state: 'member' | 'removed';
  /** The ops that a later write about this member replaces. */
  readonly heads: readonly OpId[];
  readonly since: Hlc;
};

/** The root file system that dynos and builds of an architecture run on, where an Engine runs them. */
export type Stack = {
  readonly name: string;
  readonly arch: string;
  /** A `.tar.zst`. */
  readonly blob: BlobId;
  readonly bytes: number;
  readonly setAt: number;
};
