import { z } from 'zod';
import type { AttachmentId } from '../../ids.ts';
import { UUID, addon, app, bytes, configKey, matching, name, opId, text, user } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { AddonBody, Attached } from './addon-types.ts';

const attachmentId = matching<AttachmentId>(UUID);
const message = text(4_000).nullable();
const config = z.record(configKey, bytes.nullable());

/** What releases say of attachments. */
export const attachments = z.record(
  attachmentId,
  z
    .object({
      addon,
      name,
      namespace: name.nullable(),
      plan: name,
      config: text(100).nullable(),
    })
    .nullable() satisfies z.ZodType<Attached | null>,
);

export const addonBodies: BodySchemas<AddonBody> = {
  'addon.create': z.object({
    app,
    addon,
    name,
    service: name,
    plan: name,
    prefix: name,
    options: bytes,
    attachment: z.object({ id: attachmentId, name }),
    user,
  }),
  'addon.settle': z.object({
    app,
    addon,
    state: z.enum(['asking', 'provisioning', 'provisioned', 'refused', 'deprovisioned']),
    providerId: text(1_000).nullable(),
    message,
    drainUrl: bytes.nullable(),
  }),
  'addon.config': z.object({ app, addon, config }),
  'addon.rename': z.object({ app, addon, name }),
  'addon.plan': z.object({ app, addon, plan: name, from: name }),
  'addon.answer': z.object({ app, addon, change: opId, done: z.boolean(), message }),
  'addon.rotate': z.object({ app, addon, stage: z.enum(['asked', 'released', 'ended']) }),
  'addon.destroy': z.object({ app, addon, reason: message }),
};
