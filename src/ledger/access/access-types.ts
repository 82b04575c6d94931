import type { AppId, PeerId } from '../../ids.ts';
import type { Permission, Role, Scope } from '../../rights.ts';
import type { UserEmail } from '../values.ts';

/** `hash`: another text takes the place of the one before. */
export type TokenChange = {
  readonly token: string;
  readonly description?: string;
  readonly hash?: string;
  readonly expiresAt?: number | null;
};

/** Who may come in, and who may do what. */
export type AccessBody =
  | {
      readonly kind: 'invite.create';
      readonly invite: string;
      readonly secretHash: string;
      readonly expiresAt: number;
    }
  /** Names the data key that new values are sealed with; the key itself travels only over peers' channels. */
  | { readonly kind: 'key.rotate'; readonly key: string }
  | {
      readonly kind: 'token.create';
      readonly token: string;
      readonly hash: string;
      readonly user: UserEmail;
      readonly description: string;
      /** What it is good for; absent: it is older than roles and scopes, and so was meant for everything. */
      readonly scopes?: readonly string[];
      /** When it ends, in wall ms; absent: when it is revoked. */
      readonly expiresAt?: number;
    }
  | ({ readonly kind: 'token.update' } & TokenChange)
  | { readonly kind: 'token.revoke'; readonly token: string }
  /** What a user is to the cluster; null: nothing any more. Users are written in lower case. */
  | { readonly kind: 'user.set'; readonly user: UserEmail; readonly role: Role | null }
  /** What somebody may do with an app beside what their role allows; null: nothing. */
  | {
      readonly kind: 'collaborator.set';
      readonly app: AppId;
      readonly user: UserEmail;
      readonly permissions: readonly Permission[] | null;
    };

export type AccessCommand =
  | {
      readonly type: 'invite.create';
      readonly invite: string;
      readonly secretHash: string;
      readonly expiresAt: number;
    }
  | { readonly type: 'key.rotate'; readonly key: string }
  | {
      readonly type: 'token.create';
      readonly token: string;
      readonly hash: string;
      readonly user: UserEmail;
      readonly description: string;
      readonly scopes: readonly Scope[];
      readonly expiresAt: number | null;
      /** What the user is from now on; null: as before. */
      readonly role: Role | null;
    }
  | ({ readonly type: 'token.update' } & TokenChange)
  | { readonly type: 'token.revoke'; readonly token: string }
  /** Null takes all rights from a user: the role, the tokens, what they may do with apps of others. */
  | { readonly type: 'user.set'; readonly user: UserEmail; readonly role: Role | null }
  | {
      readonly type: 'collaborator.set';
      readonly app: AppId;
      readonly user: UserEmail;
      readonly permissions: readonly Permission[] | null;
    };

export type Invite = {
  readonly invite: string;
  readonly secretHash: string;
  readonly expiresAt: number;
  readonly usedBy: PeerId | null;
};

export type Token = {
  readonly token: string;
  readonly hash: string;
  readonly user: UserEmail;
  readonly description: string;
  readonly scopes: readonly Scope[];
  /** Wall ms; null: it lasts until it is revoked. */
  readonly expiresAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly revoked: boolean;
};

export type User = {
  readonly user: UserEmail;
  readonly role: Role;
  readonly since: number;
};

export type Collaborator = {
  readonly user: UserEmail;
  readonly permissions: readonly Permission[];
  readonly updatedAt: number;
};
