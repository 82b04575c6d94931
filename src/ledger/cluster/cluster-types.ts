import type { BlobId, OpId, PeerId } from '../../ids.ts';
import type { Hlc, Sealed } from '../op.ts';

export type ClusterBody =
  | { readonly kind: 'cluster.found'; readonly name: string; readonly caCert: string; readonly caKey: Sealed }
  | {
      readonly kind: 'invite.create';
      readonly invite: string;
      readonly secretHash: string;
      readonly expiresAt: number;
    }
  | {
      readonly kind: 'member.admit';
      readonly peer: PeerId;
      readonly invite: string | null;
      readonly name: string;
    }
  /** `cut`: the last sequence number per epoch of that peer's log that still counts; later ones are kept and ignored. */
  | { readonly kind: 'member.remove'; readonly peer: PeerId; readonly cut: Readonly<Record<string, number>> }
  /** Names the data key that new values are sealed with; the key itself travels only over peers' channels. */
  | { readonly kind: 'key.rotate'; readonly key: string }
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
      readonly type: 'invite.create';
      readonly invite: string;
      readonly secretHash: string;
      readonly expiresAt: number;
    }
  | {
      readonly type: 'member.admit';
      readonly peer: PeerId;
      readonly invite: string | null;
      readonly name: string;
    }
  /** `force`: even if volumes go with it. */
  | { readonly type: 'member.remove'; readonly peer: PeerId; readonly force?: boolean }
  | { readonly type: 'key.rotate'; readonly key: string }
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

export type Invite = {
  readonly invite: string;
  readonly secretHash: string;
  readonly expiresAt: number;
  readonly usedBy: PeerId | null;
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
