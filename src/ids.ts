/** A string that only its parse function makes, so that ids of different things never mix. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** A libp2p PeerId of an Ed25519 key, base58btc (`12D3KooW…`): it contains the public key. */
export type PeerId = Brand<string, 'PeerId'>;
/** Random, 26 base32 characters, made when a cluster is founded. */
export type ClusterId = Brand<string, 'ClusterId'>;
/** Random per data directory: names one run of an author's log. 16 base32 characters. */
export type Epoch = Brand<string, 'Epoch'>;
/** SHA-256 of an op's unsigned encoding, base32 lower case, 52 characters. */
export type OpId = Brand<string, 'OpId'>;
/** UUID of an app; names may change, this does not. */
export type AppId = Brand<string, 'AppId'>;
export type AppName = Brand<string, 'AppName'>;
/** Derived from the release's parents and request, base32, 52 characters; the same at whichever peer it is written. */
export type ReleaseId = Brand<string, 'ReleaseId'>;
/** SHA-256 of a blob (slug, source bundle, build output), 64 hex characters. */
export type BlobId = Brand<string, 'BlobId'>;
/** UUID of a volume; names are given again, this is not. */
export type VolumeId = Brand<string, 'VolumeId'>;
/** UUID of a certificate of an app (Heroku: SNI endpoint). */
export type CertId = Brand<string, 'CertId'>;
/** One backup of a volume that a peer keeps: 8 hex characters. */
export type BackupId = Brand<string, 'BackupId'>;
/** UUID of a log drain. */
export type DrainId = Brand<string, 'DrainId'>;
/** UUID of an add-on: what its provider knows it by. */
export type AddonId = Brand<string, 'AddonId'>;
/** UUID of one attachment of an add-on to an app. */
export type AttachmentId = Brand<string, 'AttachmentId'>;
/** UUID of a pipeline. */
export type PipelineId = Brand<string, 'PipelineId'>;
/** UUID of one promotion, to any number of apps. */
export type PromotionId = Brand<string, 'PromotionId'>;
/** UUID of one app setup; a review app is known by it too. */
export type SetupId = Brand<string, 'SetupId'>;
/** UUID of one start of one dyno; a restarted `web.1` has a new one. */
export type DynoId = Brand<string, 'DynoId'>;
/** `web`, `worker`…: a process type of a Procfile. */
export type ProcessType = Brand<string, 'ProcessType'>;
/** `APPID/web.1`: the place in a formation that one dyno fills. */
export type SlotKey = Brand<string, 'SlotKey'>;

export const APP_NAME_PATTERN = /^[a-z][a-z0-9-]{1,28}[a-z0-9]$/;
export const PROCESS_TYPE_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;
export const CONFIG_KEY_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function slotKey(app: AppId, type: ProcessType, index: number): SlotKey {
  return `${app}/${type}.${index}` as SlotKey;
}

/** The parts of a slot key. Inverse of `slotKey`. */
export function parseSlotKey(slot: SlotKey): { app: AppId; type: ProcessType; index: number } {
  const slash = slot.indexOf('/');
  const dot = slot.lastIndexOf('.');
  return {
    app: slot.slice(0, slash) as AppId,
    type: slot.slice(slash + 1, dot) as ProcessType,
    index: Number(slot.slice(dot + 1)),
  };
}
