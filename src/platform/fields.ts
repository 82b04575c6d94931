import { z } from 'zod';
import { DYNO_SIZES, parseSize } from '../dyno-sizes.ts';
import { PERMISSIONS, ROLES, SCOPES } from '../rights.ts';
import { APP_NAME_PATTERN, CONFIG_KEY_PATTERN, PROCESS_TYPE_PATTERN } from '../ids.ts';

/** Fields that the bodies of several endpoints have. */

// An environment variable ends at a NUL, so a value that holds one could never reach a dyno whole.
// oxlint-disable-next-line no-control-regex
export const envValue = z.string().regex(/^[^\0]*$/, 'must not contain NUL characters');

/** One line of visible text. */
export const label = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]+$/u, 'must not contain control characters');

/** How a user is called: an e-mail address as a rule, and one user in whichever case it is typed. */
export const userName = label(320).regex(/^\S+$/, 'must not contain spaces').toLowerCase();

export const role = z.enum(ROLES);
export const permissions = z.array(z.enum(PERMISSIONS)).max(PERMISSIONS.length * 2);
export const scopes = z
  .array(z.enum(SCOPES))
  .min(1)
  .max(SCOPES.length * 2);

export const appName = z
  .string()
  .regex(
    APP_NAME_PATTERN,
    'must start with a letter, end with a letter or digit, and have 3 to 30 lower-case letters, digits and dashes',
  );

export const processType = z.string().regex(PROCESS_TYPE_PATTERN, 'must be a process type like "web"');

const SIZE_NAMES = DYNO_SIZES.map(({ name }) => name).join(', ');
/** In any case; kept as the API prints it. */
export const dynoSize = z
  .string()
  .refine((size) => parseSize(size) !== null, {
    error: ({ input }) => `"${String(input)}" is no dyno size: there are ${SIZE_NAMES}`,
  })
  .transform((size): string => parseSize(size)?.name ?? size);

export const configKey = z
  .string()
  .max(200)
  .regex(CONFIG_KEY_PATTERN, 'keys have letters, digits and _, and start with no digit');

const HOSTNAME_PATTERN =
  /^(?=.{1,253}$)(\*\.(?=.*\.))?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;
export const hostname = z
  .string()
  .toLowerCase()
  .regex(HOSTNAME_PATTERN, 'must be a host name like "www.example.com" or "*.example.com"');
