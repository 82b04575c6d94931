import { z } from 'zod';
import { bytes, configKey, count, name, text } from '../body-fields.ts';
import type { BodySchemas } from '../body-fields.ts';
import type { ProviderBody } from './provider-types.ts';

const plan = z.object({
  name,
  humanName: name,
  description: text(2_000),
  cents: count,
});

const manifest = z.object({
  title: name,
  prefix: name,
  configVars: z.array(configKey).max(100),
  baseUrl: text(2_000),
  ssoUrl: text(2_000).nullable(),
  password: bytes,
  ssoSalt: bytes,
  plans: z.array(plan).min(1).max(100),
});

export const providerBodies: BodySchemas<ProviderBody> = {
  'provider.set': z.object({
    provider: name,
    manifest: manifest.nullable(),
    settings: z.record(name, bytes),
  }),
  'provider.remove': z.object({ provider: name }),
};
