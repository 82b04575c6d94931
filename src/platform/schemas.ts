import { z } from 'zod';
import { APP_NAME_PATTERN, CONFIG_KEY_PATTERN, PROCESS_TYPE_PATTERN } from '../ids.ts';
import { DYNO_SIZES, parseSize } from '../dyno-sizes.ts';

/** Bodies of the requests that peers take, written once for the API that checks them and the CLI that sends them. */

export const CONFIG_BYTES_MAX = 64 * 1024;
export const LOG_LINES_MAX = 1_500;
export const INVITE_TTL_SECONDS_MAX = 7 * 24 * 3_600;

// An environment variable ends at a NUL, so a value that holds one could never reach a dyno whole.
// oxlint-disable-next-line no-control-regex
const envValue = z.string().regex(/^[^\0]*$/, 'must not contain NUL characters');
/** One line of visible text. */
const label = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]+$/u, 'must not contain control characters');

const appName = z
  .string()
  .regex(
    APP_NAME_PATTERN,
    'must start with a letter, end with a letter or digit, and have 3 to 30 lower-case letters, digits and dashes',
  );
const processType = z.string().regex(PROCESS_TYPE_PATTERN, 'must be a process type like "web"');
const SIZE_NAMES = DYNO_SIZES.map(({ name }) => name).join(', ');
const dynoSize = z
  .string()
  .refine((size) => parseSize(size) !== null, {
    error: ({ input }) => `"${String(input)}" is no dyno size: there are ${SIZE_NAMES}`,
  })
  .transform((size): string => parseSize(size)?.name ?? size);
const configKey = z
  .string()
  .max(200)
  .regex(CONFIG_KEY_PATTERN, 'keys have letters, digits and _, and start with no digit');

/** `region`, `stack` and the like are taken for Heroku's clients' sake: here is one region and one stack. */
export const appCreateSchema = z.object({ name: appName.nullish() });
export const appUpdateSchema = z.object({
  name: appName.optional(),
  maintenance: z.boolean().optional(),
  build_stack: label(200).optional(),
});

export const featurePatchSchema = z.object({ enabled: z.boolean() });

/** Null unsets. The one key that a record cannot hold like any other is refused rather than lost. */
export const configPatchSchema = z
  .unknown()
  .refine((value) => !Object.hasOwn(Object(value), '__proto__'), 'the key "__proto__" is reserved')
  .pipe(z.record(configKey, envValue.nullable()));

/** A rollback names a release; a retry names a slug of the app. */
export const releaseCreateSchema = z.object({
  release: label(200).optional(),
  slug: label(200).optional(),
  description: label(1_000).optional(),
});

/** `2`, `"2"`, or relative: `"+1"`, `"-1"`. */
const QUANTITY_RULE = 'must be a whole number like 2, or relative like "+1"';
const quantity = z.union(
  [z.int().min(0).max(10_000), z.string().regex(/^[+-]?\d{1,5}$/, QUANTITY_RULE)],
  QUANTITY_RULE,
);
export const formationPatchSchema = z.object({ quantity: quantity.optional(), size: dynoSize.optional() });
export const formationBatchSchema = z.object({
  updates: z
    .array(formationPatchSchema.extend({ type: processType }))
    .min(1)
    .max(100),
});

const COMMAND_CHARS_MAX = 32_768;
/** What a client's terminal and `--env` come to. */
const dynoEnv = z.record(configKey, z.union([envValue, z.number()])).nullish();
export const TTL_SECONDS_MAX = 24 * 3_600;
export const dynoCreateSchema = z.object({
  command: envValue.min(1).max(COMMAND_CHARS_MAX),
  attach: z.boolean().nullish(),
  env: dynoEnv,
  size: dynoSize.nullish(),
  type: processType.nullish(),
  time_to_live: z.int().min(1).max(TTL_SECONDS_MAX).nullish(),
  force_no_tty: z.boolean().nullish(),
});
/** A command in a running dyno. */
export const dynoExecSchema = z.object({
  command: envValue.min(1).max(COMMAND_CHARS_MAX),
  env: dynoEnv,
  force_no_tty: z.boolean().nullish(),
});
export const PATH_CHARS_MAX = 4_096;
export const copyQuerySchema = z.object({ path: envValue.min(1).max(PATH_CHARS_MAX) });

export const buildCreateSchema = z.object({
  source_blob: z.object({
    url: z.url({ protocol: /^https?$/ }).max(4_096),
    version: label(200).nullish(),
  }),
});

export const logSessionCreateSchema = z.object({
  lines: z.int().min(0).max(LOG_LINES_MAX).nullish(),
  tail: z.boolean().nullish(),
  source: label(100).nullish(),
  dyno: label(200).nullish(),
});

const HOSTNAME_PATTERN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;
export const domainCreateSchema = z.object({
  hostname: z
    .string()
    .toLowerCase()
    .regex(HOSTNAME_PATTERN, 'must be a host name like "www.example.com"')
    // It would take the requests of the app of that name.
    .refine(
      (name) => !name.endsWith('.localhost'),
      'must not end with ".localhost": apps have these by name',
    ),
});

export const buildpacksPutSchema = z.object({
  updates: z.array(z.object({ buildpack: label(2_000) })).max(50),
});

export const volumeCreateSchema = z.object({ name: label(100), peer: label(200).nullish() });
export const volumePatchSchema = z.object({
  mount: z.object({ type: label(128), path: label(1_000) }).nullable(),
});
export const volumeMoveSchema = z.object({ peer: label(200) });

export const peerPatchSchema = z.object({ draining: z.boolean() });
export const inviteCreateSchema = z.object({
  ttl_seconds: z.int().min(1).max(INVITE_TTL_SECONDS_MAX).default(3_600),
});
export const joinSchema = z.object({ token: label(16_384) });
export const tokenCreateSchema = z.object({ user: label(200), description: label(200).nullish() });
