import type { AddonId, AppId, DrainId } from '../../ids.ts';
import type { Sealed } from '../values.ts';

/** Where an app's log lines are sent. */
export type DrainBody =
  /** Its lines go to `url` from now on, or to another one than before. */
  | {
      readonly kind: 'drain.add';
      readonly app: AppId;
      readonly drain: DrainId;
      /** `d.<uuid>`: what receivers know it by, for as long as it lives. */
      readonly token: string;
      /** May hold credentials. */
      readonly url: Sealed;
      /** The add-on that asked for it; null: a user did. */
      readonly addon: AddonId | null;
    }
  | { readonly kind: 'drain.remove'; readonly app: AppId; readonly drain: DrainId };

export type DrainCommand =
  /** `drain` is a fresh UUID, `token` is `d.` and another; the URL is sealed as `DRAIN_URL_KEY`. */
  | {
      readonly type: 'drain.add';
      readonly app: AppId;
      readonly drain: DrainId;
      readonly token: string;
      readonly url: Sealed;
      readonly addon: AddonId | null;
    }
  | { readonly type: 'drain.set'; readonly app: AppId; readonly drain: DrainId; readonly url: Sealed }
  | { readonly type: 'drain.remove'; readonly app: AppId; readonly drain: DrainId };

/** Where an app's log lines are sent. */
export type Drain = {
  readonly id: DrainId;
  readonly token: string;
  readonly url: Sealed;
  /** The add-on that it belongs to, and goes with. */
  readonly addon: AddonId | null;
  readonly createdAt: number;
  readonly updatedAt: number;
};
