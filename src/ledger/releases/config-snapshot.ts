import type { AttachmentId, ReleaseId } from '../../ids.ts';
import type { Attached } from '../addons/addon-types.ts';
import { compareStamps } from '../hlc.ts';
import type { OpOf } from '../op-graph.ts';
import type { ConfigWrite, Release, SlugRef } from './release-types.ts';

/** Stands for the slug among config keys, all of which have letters: a slug is one more thing that releases write. */
export const SLUG_KEY = '';

/** Goes before an attachment's id, for the same reason. No config key has one. */
const ATTACHMENT_MARK = '@';

const attachmentKey = (id: AttachmentId): string => ATTACHMENT_MARK + id;
const isAttachmentKey = (key: string): boolean => key.startsWith(ATTACHMENT_MARK);

function keysOf({ config, attachments }: Snapshot): readonly string[] {
  return [...config.keys(), ...[...attachments.keys()].map(attachmentKey)];
}

/** What a release runs with. */
export type Snapshot = {
  readonly config: ReadonlyMap<string, ConfigWrite>;
  readonly slug: SlugRef | null;
  /** The release that the slug was written by. */
  readonly slugBy: ReleaseId | null;
  /** What is attached; null where it was detached, which must win over concurrent older writes. */
  readonly attachments: ReadonlyMap<
    AttachmentId,
    { readonly value: Attached | null; readonly by: ReleaseId }
  >;
  /** Where writes met that did not know of each other: all of them, latest first. The first is what counts. */
  readonly contested: ReadonlyMap<string, readonly ReleaseId[]>;
};

/** What was written where, for resolving writes that met. */
export type ReleaseLookup = {
  release(id: ReleaseId): Release;
  body(id: ReleaseId): OpOf<'release'>['body'];
  /** What a release on top of this one alone starts from. */
  base(id: ReleaseId): Snapshot;
};

export const NOTHING: Snapshot = {
  config: new Map(),
  slug: null,
  slugBy: null,
  attachments: new Map(),
  contested: new Map(),
};

export function attachedIn({ attachments }: Snapshot): ReadonlyMap<AttachmentId, Attached> {
  return new Map([...attachments].flatMap(([id, { value }]) => (value === null ? [] : [[id, value]])));
}

/** A snapshot with a release's own writes over it. They replace all they follow, contested or not. */
export function withWrites(base: Snapshot, by: ReleaseId, body: OpOf<'release'>['body']): Snapshot {
  const attached = Object.entries(body.attachments ?? {}) as [AttachmentId, Attached | null][];
  const keys = [...Object.keys(body.config), ...attached.map(([id]) => attachmentKey(id))];
  if (keys.length === 0 && body.slug === null) return base;
  const config = new Map(base.config);
  for (const [key, value] of Object.entries(body.config)) config.set(key, { value, by });
  const attachments = new Map(base.attachments);
  for (const [id, value] of attached) attachments.set(id, { value, by });
  const slug = body.slug === null ? {} : { slug: body.slug, slugBy: by };
  return {
    ...base,
    config,
    attachments,
    ...slug,
    contested: withoutKeys(base.contested, keys, body.slug !== null),
  };
}

/**
 * What parents amount to together. Per key, a write that some parent has seen and replaced is out; of those left,
 * none of which knew of another, the latest by (hlc, id) counts.
 */
export function mergeSnapshots(parents: readonly ReleaseId[], lookup: ReleaseLookup): Snapshot {
  const [first, ...others] = parents;
  if (first === undefined) return NOTHING;
  const base = lookup.base(first);
  if (others.length === 0) return base;

  const snapshots = parents.map((id) => lookup.base(id));
  const writers = writersPerKey(snapshots);
  const pasts = pastsOf(parents, [...writers.values()].flat(2), lookup);
  const config = new Map(base.config);
  const attachments = new Map(base.attachments);
  const contested = new Map(base.contested);
  let { slug, slugBy } = base;
  for (const [key, perParent] of writers) {
    const standing = standingWrites(perParent, pasts, lookup);
    const winner = standing[0];
    if (winner === undefined) continue;
    if (standing.length > 1) contested.set(key, standing);
    else contested.delete(key);
    const body = lookup.body(winner);
    if (key === SLUG_KEY) [slug, slugBy] = [body.slug, winner];
    else if (isAttachmentKey(key)) {
      const id = key.slice(ATTACHMENT_MARK.length) as AttachmentId;
      attachments.set(id, { value: body.attachments?.[id] ?? null, by: winner });
    } else config.set(key, { value: body.config[key] ?? null, by: winner });
  }
  return { config, attachments, slug, slugBy, contested };
}

/** For each key on which the parents differ: who wrote it, by parent. */
function writersPerKey(
  snapshots: readonly Snapshot[],
): ReadonlyMap<string, readonly (readonly ReleaseId[])[]> {
  const keys = new Set([SLUG_KEY, ...snapshots.flatMap(keysOf)]);
  const writers = new Map<string, readonly (readonly ReleaseId[])[]>();
  for (const key of keys) {
    const perParent = snapshots.map((snapshot) => writersOf(snapshot, key));
    if (new Set(perParent.map((ids) => ids.join())).size > 1) writers.set(key, perParent);
  }
  return writers;
}

function writersOf(snapshot: Snapshot, key: string): readonly ReleaseId[] {
  const contested = snapshot.contested.get(key);
  if (contested !== undefined) return contested;
  const by = isAttachmentKey(key)
    ? snapshot.attachments.get(key.slice(ATTACHMENT_MARK.length) as AttachmentId)?.by
    : key === SLUG_KEY
      ? snapshot.slugBy
      : snapshot.config.get(key)?.by;
  return by === null || by === undefined ? [] : [by];
}

function standingWrites(
  perParent: readonly (readonly ReleaseId[])[],
  pasts: readonly ReadonlySet<ReleaseId>[],
  lookup: ReleaseLookup,
): readonly ReleaseId[] {
  const all = [...new Set(perParent.flat())];
  return all
    .filter((id) => !perParent.some((writers, parent) => !writers.includes(id) && pasts[parent]?.has(id)))
    .map((id) => lookup.release(id))
    .sort((a, b) => compareStamps(b, a))
    .map((release) => release.id);
}

/** Each parent's ancestors and itself, as far back as the oldest of `writers`: numbers only fall on the way. */
function pastsOf(
  parents: readonly ReleaseId[],
  writers: readonly ReleaseId[],
  lookup: ReleaseLookup,
): readonly ReadonlySet<ReleaseId>[] {
  const oldest = writers.reduce((least, id) => Math.min(least, lookup.release(id).number), Infinity);
  return parents.map((parent) => {
    const past = new Set([parent]);
    for (const id of past) {
      for (const older of lookup.release(id).parents) {
        if (lookup.release(older).number >= oldest) past.add(older);
      }
    }
    return past;
  });
}

function withoutKeys(
  contested: Snapshot['contested'],
  keys: readonly string[],
  isSlugToo: boolean,
): Snapshot['contested'] {
  if (contested.size === 0) return contested;
  const rest = new Map(contested);
  for (const key of keys) rest.delete(key);
  if (isSlugToo) rest.delete(SLUG_KEY);
  return rest;
}
