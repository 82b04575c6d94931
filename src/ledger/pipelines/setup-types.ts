import type { AppId, BlobId, SetupId } from '../../ids.ts';
import type { Sealed, UserEmail } from '../values.ts';
import type { ReviewOf } from './pipeline-types.ts';

/** What an app is made ready from. */
export type SetupWish = {
  readonly setup: SetupId;
  /** UUID of the build that it makes. */
  readonly build: string;
  readonly source: BlobId;
  readonly version: string | null;
  readonly env: Readonly<Record<string, Sealed>>;
  /** In place of those of its app.json; null: those. */
  readonly buildpacks: readonly string[] | null;
  readonly review: ReviewOf | null;
};

/** How it ended. */
export type SetupEnd = {
  readonly status: 'succeeded' | 'failed';
  readonly reason: string | null;
  /** What is wrong with its app.json. */
  readonly manifestErrors: readonly string[];
  readonly postdeploy: { readonly exitCode: number | null; readonly output: string } | null;
};

/** How an app is made ready from an archive and its app.json. */
export type SetupBody =
  /** The app is to be made ready from this archive and its app.json. */
  | ({ readonly kind: 'setup.create'; readonly app: AppId; readonly user: UserEmail } & SetupWish)
  /** What came of it. One that failed is written together with the end of the app. */
  | ({ readonly kind: 'setup.settle'; readonly app: AppId; readonly setup: SetupId } & SetupEnd);

export type SetupCommand =
  /** Makes an app (as `app.create` does) and the wish that it be set up, all at once. */
  | {
      readonly type: 'setup.create';
      readonly app: AppId;
      readonly name: string | null;
      readonly fallbackName: string;
      readonly setup: SetupWish;
    }
  /** Says how it ended, the first time; where it failed, the app goes with it. */
  | {
      readonly type: 'setup.settle';
      readonly app: AppId;
      readonly settled: SetupEnd & { readonly setup: SetupId };
    };

export type Setup = SetupWish & {
  readonly user: UserEmail;
  readonly createdAt: number;
  /** Null while it is under way. */
  readonly settled: (SetupEnd & { readonly at: number }) | null;
};
