import { z } from 'zod';
import { attachments } from '../addons/addon-bodies.ts';
import {
  app,
  blob,
  bytes,
  configKey,
  count,
  name,
  opId,
  peer,
  processType,
  request,
  text,
  user,
} from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { ReleaseBody, SlugRef } from './release-types.ts';

export const slug: z.ZodType<SlugRef> = z.object({
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

export const releaseBodies: BodySchemas<ReleaseBody> = {
  release: z
    .object({
      app,
      cause: z.enum(['create', 'config', 'deploy', 'promote', 'addon', 'rollback', 'merge']),
      description: text(2_000),
      user,
      slug: slug.nullable(),
      config: z.record(configKey, bytes.nullable()),
      attachments: attachments.exactOptional(),
      runsCommand: z.literal(true).exactOptional(),
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
