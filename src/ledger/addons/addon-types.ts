import type { AddonId, AppId, AttachmentId, OpId, ReleaseId } from '../../ids.ts';
import type { Sealed, UserEmail } from '../values.ts';
import type { Rotation, RotationStage } from './rotation.ts';

/** By the names of the manifest; null where it was taken away. */
export type SealedConfig = Readonly<Record<string, Sealed | null>>;

/** What a release says of an attachment: `config` names the values (`configVersion`) that it was written with. */
export type Attached = {
  readonly addon: AddonId;
  readonly name: string;
  /** `credential:reader`: some of the add-on only; null: all of it. */
  readonly namespace: string | null;
  /** `acme-redis:mini` */
  readonly plan: string;
  /** Null: it had none yet. */
  readonly config: string | null;
};

/**
 * What a provider said of an add-on. `asking`: it is about to be asked, and may have made it even if no answer is ever heard.
 * `provisioning`: it knows of it, and will be ready later.
 */
export type AddonSettlement = {
  readonly state: 'asking' | 'provisioning' | 'provisioned' | 'refused' | 'deprovisioned';
  readonly providerId: string | null;
  /** For the user. */
  readonly message: string | null;
  /** Where it wants all of the app's log lines, sealed as `ADDON_DRAIN_KEY`. */
  readonly drainUrl: Sealed | null;
};

/** Add-ons are their owner's (`app`), and written about by that app's home. */
export type AddonBody =
  /** Somebody wants it: whoever's duty it is asks the provider. */
  | {
      readonly kind: 'addon.create';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly name: string;
      readonly service: string;
      readonly plan: string;
      /** What the names of its config vars begin with: `REDIS`. */
      readonly prefix: string;
      /** A JSON object, sealed as `ADDON_OPTIONS_KEY`. */
      readonly options: Sealed;
      /** It comes with this attachment, once the provider has not refused. */
      readonly attachment: { readonly id: AttachmentId; readonly name: string };
      readonly user: UserEmail;
    }
  | ({ readonly kind: 'addon.settle'; readonly app: AppId; readonly addon: AddonId } & AddonSettlement)
  /** Other values of some of its config vars. */
  | {
      readonly kind: 'addon.config';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly config: SealedConfig;
    }
  | {
      readonly kind: 'addon.rename';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly name: string;
    }
  /** It shall have another plan than `from`. */
  | {
      readonly kind: 'addon.plan';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly plan: string;
      readonly from: string;
    }
  /** What its provider said of that. */
  | {
      readonly kind: 'addon.answer';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly change: OpId;
      readonly done: boolean;
      readonly message: string | null;
    }
  /** It is to have new credentials, has them, or has them alone: see `src/ledger/addons/rotation.ts`. */
  | {
      readonly kind: 'addon.rotate';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly stage: RotationStage;
    }
  /** It shall go. `reason`: why, where no user wanted it. */
  | {
      readonly kind: 'addon.destroy';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly reason: string | null;
    };

/** Names that values are sealed by, beside the config vars' own. */
export const ADDON_OPTIONS_KEY = 'addon options';
export const ADDON_DRAIN_KEY = 'addon drain';

export type AddonCommand =
  /** `confirm`: the app's name, if config vars that are set may be replaced. `willSet`: names of the manifest. */
  | {
      readonly type: 'addon.create';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly name: string;
      readonly service: string;
      readonly plan: string;
      readonly options: Sealed;
      readonly attachment: { readonly id: AttachmentId; readonly name: string };
      readonly prefix: string;
      readonly willSet: readonly string[];
      readonly confirm: string | null;
    }
  | ({
      readonly type: 'addon.settle';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly config: SealedConfig;
    } & AddonSettlement)
  | {
      readonly type: 'addon.config';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly config: SealedConfig;
    }
  | { readonly type: 'addon.rename'; readonly app: AppId; readonly addon: AddonId; readonly name: string }
  | { readonly type: 'addon.plan'; readonly app: AppId; readonly addon: AddonId; readonly plan: string }
  | {
      readonly type: 'addon.answer';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly change: OpId;
      readonly done: boolean;
      readonly message: string | null;
      readonly config: SealedConfig;
    }
  | { readonly type: 'addon.rotate'; readonly app: AppId; readonly addon: AddonId }
  | {
      readonly type: 'addon.rotated';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly rotation: OpId;
      readonly stage: 'released' | 'ended';
      readonly config: SealedConfig;
    }
  | {
      readonly type: 'addon.destroy';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly force: boolean;
      readonly reason: string | null;
    }
  /** `app` is the one that gets it, `version` the add-on's `configVersion` that `vars` were made from, sealed for the app. */
  | {
      readonly type: 'attachment.add';
      readonly app: AppId;
      readonly attachment: AttachmentId;
      readonly addon: AddonId;
      readonly name: string;
      readonly namespace: string | null;
      readonly confirm: string | null;
      readonly version: string;
      readonly vars: SealedConfig;
    }
  | { readonly type: 'attachment.remove'; readonly app: AppId; readonly attachment: AttachmentId }
  /** Gives an app the values that an add-on of its has by now. */
  | {
      readonly type: 'attachment.sync';
      readonly app: AppId;
      readonly addon: AddonId;
      readonly version: string;
      readonly vars: SealedConfig;
    };

export type AddonState = 'provisioning' | 'provisioned' | 'deprovisioning' | 'deprovisioned';

export type Addon = {
  readonly id: AddonId;
  /** Its owner, which may be destroyed. */
  readonly app: AppId;
  readonly name: string;
  /** What it was to be called; another add-on has that name where `name` is another. */
  readonly wantedName: string;
  readonly service: string;
  readonly prefix: string;
  /** What it has, whatever is asked for: `mini`. */
  readonly plan: string;
  /** A plan that was asked for, and that the provider has not answered of. */
  readonly change: { readonly id: OpId; readonly plan: string } | null;
  readonly answers: ReadonlyMap<OpId, { readonly done: boolean; readonly message: string | null }>;
  /** New credentials that are not all of it yet. */
  readonly rotation: Rotation | null;
  readonly state: AddonState;
  /** Whether the provider has taken it, be it ready or not. */
  readonly accepted: boolean;
  /** It never came to be: why is in `message`. */
  readonly refused: boolean;
  readonly providerId: string | null;
  readonly message: string | null;
  readonly drainUrl: Sealed | null;
  readonly options: Sealed;
  /** The attachment that it comes with. */
  readonly attachment: { readonly id: AttachmentId; readonly name: string };
  readonly user: UserEmail;
  /** By the names of the manifest; null where it was taken away. */
  readonly config: ReadonlyMap<string, Sealed | null>;
  /** Names what `config` holds: equal for equal values. */
  readonly configVersion: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** An add-on in an app. `by` is the release that last said so. */
export type Attachment = Attached & { readonly id: AttachmentId; readonly by: ReleaseId };
