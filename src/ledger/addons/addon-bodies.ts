import { z } from 'zod';
import { CONFIG_KEY_PATTERN } from '../../ids.ts';
import type { AddonId, AppId, AttachmentId, OpId } from '../../ids.ts';
import type { AddonBody, Attached, ProviderBody } from './addon-types.ts';
import type { Sealed } from '../op.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const matching = <T extends string>(pattern: RegExp) =>
  z.custom<T>((value) => typeof value === 'string' && pattern.test(value), `must match ${pattern.source}`);
const text = (max: number) => z.string().max(max);
const bytes = z.custom<Sealed>((value) => value instanceof Uint8Array, 'must be bytes');

const app = matching<AppId>(UUID);
const addon = matching<AddonId>(UUID);
const attachmentId = matching<AttachmentId>(UUID);
const change = matching<OpId>(/^[a-z2-7]{52}$/);
const key = matching<string>(CONFIG_KEY_PATTERN);
const name = text(200);
const message = text(4_000).nullable();
const config = z.record(key, bytes.nullable());

const plan = z.object({
  name,
  humanName: name,
  description: text(2_000),
  cents: z.number().int().min(0),
});

const manifest = z.object({
  title: name,
  prefix: name,
  configVars: z.array(key).max(100),
  baseUrl: text(2_000),
  ssoUrl: text(2_000).nullable(),
  password: bytes,
  ssoSalt: bytes,
  plans: z.array(plan).min(1).max(100),
});

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

type Bodies<Body extends { readonly kind: string }> = {
  readonly [Kind in Body['kind']]: z.ZodType<Omit<Extract<Body, { kind: Kind }>, 'kind'>>;
};

export const addonBodies: Bodies<AddonBody | ProviderBody> = {
  'provider.set': z.object({
    provider: name,
    manifest: manifest.nullable(),
    settings: z.record(name, bytes),
  }),
  'provider.remove': z.object({ provider: name }),
  'addon.create': z.object({
    app,
    addon,
    name,
    service: name,
    plan: name,
    prefix: name,
    options: bytes,
    attachment: z.object({ id: attachmentId, name }),
    user: text(320),
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
  'addon.answer': z.object({ app, addon, change, done: z.boolean(), message }),
  'addon.rotate': z.object({ app, addon, stage: z.enum(['asked', 'released', 'ended']) }),
  'addon.destroy': z.object({ app, addon, reason: message }),
};
