import { z } from 'zod';
import { ROLES, completePermissions } from '../rights.ts';
import { APP_NAME_PATTERN, CONFIG_KEY_PATTERN, PROCESS_TYPE_PATTERN } from '../ids.ts';
import type {
  AddonId,
  AppId,
  AppName,
  BackupId,
  BlobId,
  CertId,
  DrainId,
  OpId,
  PeerId,
  PipelineId,
  ProcessType,
  PromotionId,
  SetupId,
  VolumeId,
} from '../ids.ts';
import { acmBodies } from './acm-bodies.ts';
import { addonBodies, attachments } from './addon-bodies.ts';
import { STAGES } from './pipeline-types.ts';
import type { Op, OpBody, OpKind, Sealed, SlugRef } from './op.ts';

type BodyOf<Kind extends OpKind> = Omit<Extract<OpBody, { kind: Kind }>, 'kind'>;

const matching = <T extends string>(pattern: RegExp) =>
  z.custom<T>((value) => typeof value === 'string' && pattern.test(value), `must match ${pattern.source}`);

const text = (max: number) => z.string().max(max);
const count = z.number().int().min(0);
const bytes = z.custom<Sealed>((value) => value instanceof Uint8Array, 'must be bytes');

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const app = matching<AppId>(UUID);
const volume = matching<VolumeId>(UUID);
const pipeline = matching<PipelineId>(UUID);
const promotion = matching<PromotionId>(UUID);
const setup = matching<SetupId>(UUID);
const appName = matching<AppName>(APP_NAME_PATTERN);
const peer = matching<PeerId>(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/);
const blob = matching<BlobId>(/^[0-9a-f]{64}$/);
const opId = matching<OpId>(/^[a-z2-7]{52}$/);
const processType = matching<ProcessType>(PROCESS_TYPE_PATTERN);
const cert = matching<CertId>(UUID);
const hostname = matching<string>(/^(?=.{1,253}$)(?:\*\.)?[a-z0-9.-]+$/);
/** Folders are named by it. */
const copy = matching<string>(/^[0-9a-f]{16}$/);
const place = z.object({ peer, copy });
const drain = matching<DrainId>(UUID);
const addon = matching<AddonId>(UUID);
const backup = matching<BackupId>(/^[0-9a-f]{8}$/);
/** Ids that the writer made up: UUIDs mostly. */
const name = text(200);
const user = text(320);
const request = text(200).nullable();
const stage = z.enum(STAGES);

/** `__proto__`, which an object cannot hold like any other key, is dropped by zod. */
const configKey = matching<string>(CONFIG_KEY_PATTERN);

const slug: z.ZodType<SlugRef> = z.object({
  id: blob,
  bytes: count,
  arch: text(32),
  stack: text(64),
  processTypes: z.record(processType, text(32_768)),
  commit: text(200).nullable(),
  buildpack: text(2_000).nullable(),
  layers: z
    .array(z.object({ id: blob, bytes: count }))
    .max(512)
    .exactOptional(),
  format: z.literal('image').exactOptional(),
  setup: z
    .object({
      formation: z.record(processType, z.object({ quantity: count.max(100_000), size: text(64).nullable() })),
      postdeploy: text(32_768).nullable(),
    })
    .exactOptional(),
  upload: name.exactOptional(),
  source: blob.nullable(),
});

/** Fields that are not named here are dropped: a newer agent may have added them. */
const BODIES: { readonly [Kind in OpKind]: z.ZodType<BodyOf<Kind>> } = {
  ...acmBodies,
  ...addonBodies,
  'cluster.found': z.object({ name, caCert: text(65_536), caKey: bytes }),
  'invite.create': z.object({ invite: name, secretHash: text(200), expiresAt: z.number() }),
  'member.admit': z.object({ peer, invite: name.nullable(), name }),
  'member.remove': z.object({ peer, cut: z.record(text(64), z.number().int().min(-1)) }),
  'key.rotate': z.object({ key: name }),
  'token.create': z.object({
    token: name,
    hash: text(200),
    user,
    description: text(2_000),
    scopes: z.array(text(64)).max(32).exactOptional(),
    expiresAt: z.number().exactOptional(),
  }),
  'token.update': z.object({
    token: name,
    description: text(2_000).exactOptional(),
    hash: text(200).exactOptional(),
    expiresAt: z.number().nullable().exactOptional(),
  }),
  'token.revoke': z.object({ token: name }),
  // A role that only newer agents know is none here: too little rather than too much.
  'user.set': z.object({ user, role: z.enum(ROLES).nullable().catch(null) }),
  'stack.set': z.object({ name, arch: text(32), blob, bytes: count }),
  'app.create': z.object({ app, name: appName, owner: user, request }),
  'app.update': z.object({
    app,
    name: appName.exactOptional(),
    owner: user.exactOptional(),
    maintenance: z.boolean().exactOptional(),
    features: z.record(name, z.boolean()).exactOptional(),
  }),
  'app.destroy': z.object({ app }),
  'collaborator.set': z.object({
    app,
    user,
    permissions: z.array(text(64)).max(32).transform(completePermissions).nullable(),
  }),
  release: z
    .object({
      app,
      cause: z.enum(['create', 'config', 'deploy', 'promote', 'addon', 'rollback', 'merge']),
      description: text(2_000),
      user,
      slug: slug.nullable(),
      config: z.record(configKey, bytes.nullable()),
      attachments: attachments.exactOptional(),
      request,
    })
    // A merge is known by its parents alone, so that two peers write the same one: it has nothing of its own to say.
    .refine(
      ({ cause, slug, config, attachments }) =>
        cause !== 'merge' || (slug === null && attachments === undefined && Object.keys(config).length === 0),
      'a merge writes nothing itself',
    ),
  'release.attempt': z.object({ app, release: opId, slug: blob, peer }),
  'release.settle': z.object({
    app,
    release: opId,
    slug: blob,
    status: z.enum(['succeeded', 'failed']),
    output: blob.nullable(),
    reason: text(2_000).nullable(),
  }),
  'formation.scale': z.object({
    app,
    type: processType,
    quantity: count.max(100_000),
    size: text(64),
    user,
  }),
  'formation.restart': z.object({
    app,
    type: processType.nullable(),
    index: z.number().int().min(1).nullable(),
    user,
  }),
  'volume.create': z.object({ app, volume, name, place }),
  'volume.mount': z.object({
    app,
    volume,
    mount: z.object({ type: processType, path: text(1_000) }).nullable(),
  }),
  'volume.hold': z.object({ app, volume, why: z.enum(['move', 'backup', 'restore']).nullable() }),
  'volume.move': z.object({ app, volume, to: place, from: place }),
  'volume.ready': z.object({ app, volume, copy }),
  'volume.backup': z.object({
    app,
    volume,
    backup,
    kept: z.object({ peer, archive: blob, bytes: count }).nullable(),
  }),
  'volume.destroy': z.object({ app, volume }),
  'domain.add': z.object({ app, hostname, domain: name }),
  'domain.remove': z.object({ app, hostname }),
  'domain.update': z.object({ app, domain: name, cert: cert.nullable() }),
  'cert.set': z.object({
    app,
    cert,
    name: text(30),
    displayName: text(200).nullable(),
    chain: text(65_536),
    key: bytes,
    facts: z.object({
      names: z.array(text(253)).max(1_000),
      startsAt: z.number(),
      expiresAt: z.number(),
      issuer: text(4_096),
      subject: text(4_096),
      trusted: z.boolean(),
    }),
    acm: name.exactOptional(),
  }),
  'cert.remove': z.object({ app, cert }),
  'drain.add': z.object({ app, drain, token: text(100), url: bytes, addon: addon.nullable() }),
  'drain.remove': z.object({ app, drain }),
  'buildpacks.set': z.object({ app, buildpacks: z.array(text(2_000)).max(100) }),
  'pipeline.set': z.object({ pipeline, name, owner: user }),
  'pipeline.remove': z.object({ pipeline }),
  'pipeline.config': z.object({ pipeline, stage, config: z.record(configKey, bytes.nullable()) }),
  'pipeline.review': z.object({
    pipeline,
    review: z
      .object({ baseName: name.nullable(), destroysStale: z.boolean(), staleDays: count.max(1_000) })
      .nullable(),
  }),
  'coupling.set': z.object({ app, coupling: z.object({ pipeline, stage }).nullable() }),
  'promotion.create': z.object({
    promotion,
    pipeline,
    source: app,
    release: opId,
    slug,
    description: text(2_000),
    targets: z.array(app).min(1).max(100),
    user,
  }),
  'setup.create': z.object({
    app,
    setup,
    build: name,
    source: blob,
    version: text(200).nullable(),
    env: z.record(configKey, bytes),
    buildpacks: z.array(text(2_000)).max(100).nullable(),
    review: z.object({ pipeline, branch: text(500), prNumber: count.nullable() }).nullable(),
    user,
  }),
  'setup.settle': z.object({
    app,
    setup,
    status: z.enum(['succeeded', 'failed']),
    reason: text(2_000).nullable(),
    manifestErrors: z.array(text(1_000)).max(100),
    postdeploy: z.object({ exitCode: z.number().int().nullable(), output: text(100_000) }).nullable(),
  }),
  'slug.create': z.object({ app, slug, checksum: text(200), user }),
  'build.record': z.object({
    app,
    build: name,
    status: z.enum(['succeeded', 'failed']),
    commit: text(200).nullable(),
    buildpacks: z.array(text(2_000)).max(100),
    output: blob.nullable(),
    release: opId.nullable(),
    user,
    startedAt: z.number(),
  }),
};

/** What an op says: a body, a kind that only newer agents know, or nothing that can be read. */
export type Reading =
  | { readonly tag: 'body'; readonly body: OpBody }
  | { readonly tag: 'unknown' }
  | { readonly tag: 'flawed'; readonly reason: string };

/** Reads an op's body by its kind. The same at every peer of one version; never throws. */
export function readBody(op: Pick<Op, 'kind' | 'body'>): Reading {
  const { kind } = op;
  if (!isKnown(kind)) return { tag: 'unknown' };
  const parsed = BODIES[kind].safeParse(op.body);
  if (parsed.success) return { tag: 'body', body: { kind, ...parsed.data } as OpBody };
  const issue = parsed.error.issues[0];
  return {
    tag: 'flawed',
    reason: `${kind}: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`,
  };
}

function isKnown(kind: string): kind is OpKind {
  return Object.hasOwn(BODIES, kind);
}
