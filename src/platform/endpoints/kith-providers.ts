import { z } from 'zod';
import { del, get, patch, post } from '../endpoint.ts';
import { configKey, envValue, label } from '../fields.ts';

const httpUrl = z
  .string()
  .max(2_000)
  .refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), 'must be an http or https URL')
  .refine(
    (text) => URL.parse(text)?.username === '',
    'must not hold a user: the password is a field of its own',
  );

/** Whoever knows it may set config vars: it must not be found by trying. */
const PASSWORD_CHARS_MIN = 16;
const password = z
  .string()
  .min(PASSWORD_CHARS_MIN, {
    error: ({ input }) =>
      `it has ${typeof input === 'string' ? input.length : 0} characters, and takes ${PASSWORD_CHARS_MIN} at least: \`openssl rand -hex 24\` makes a good one`,
  })
  .max(1_000);

const plan = z.union([
  label(100),
  z.object({
    name: label(100),
    human_name: label(100).optional(),
    description: label(1_000).optional(),
    /** Cents a month. */
    cents: z.number().int().min(0).max(100_000_000).optional(),
  }),
]);

/** Heroku's manifest (`addon-manifest.json`), and which plans there are: there it is not told by that. */
export const manifestBody = z.object({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,48}[a-z0-9]$/, 'must be an id like "acme-redis"'),
  name: label(100).optional(),
  api: z.object({
    version: z.union([z.literal('3'), z.literal(3)], 'only version 3 of the Partner API is spoken'),
    config_vars_prefix: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{0,60}$/)
      .optional(),
    config_vars: z.array(configKey).max(100),
    password,
    sso_salt: z.string().max(1_000).optional(),
    production: z.union([
      httpUrl.transform((base_url) => ({ base_url, sso_url: undefined })),
      z.object({ base_url: httpUrl, sso_url: httpUrl.optional() }),
    ]),
  }),
  plans: z.array(plan).min(1).max(100).optional(),
});
export type ManifestBody = z.infer<typeof manifestBody>;

const settings = z.record(label(100), envValue.max(10_000).nullable());

export const providerEndpoints = {
  list: get('/kith/providers', { title: 'List add-on providers', needs: 'user' }),
  add: post('/kith/providers', {
    title: 'Register an add-on provider, or change one',
    needs: 'admin',
    body: manifestBody,
  }),
  set: patch('/kith/providers/:provider', {
    title: 'Change settings of a built-in provider',
    needs: 'admin',
    body: z.object({ settings }),
    isProtected: true,
  }),
  remove: del('/kith/providers/:provider', { title: 'Remove an add-on provider', needs: 'admin' }),
};
