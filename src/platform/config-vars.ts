import { PlatformError } from '../errors.ts';
import type { Sealed } from '../ledger/values.ts';
import type { Release } from '../ledger/releases/release-types.ts';
import { CONFIG_BYTES_MAX } from './endpoints/config-vars.ts';

export type ConfigVars = Readonly<Record<string, string>>;

/** Config vars of an app or a release in clear text, by key. `open` unseals one value. */
export function configVars(
  { config }: Pick<Release, 'config'>,
  open: (key: string, sealed: Sealed) => string,
): ConfigVars {
  const pairs: [string, string][] = [];
  for (const [key, { value }] of config) if (value !== null) pairs.push([key, open(key, value)]);
  // fromEntries defines own properties, so that a var called __proto__ is one like any other.
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Refuses a patch after which names and values together pass Heroku's 64 KiB.
 * https://devcenter.heroku.com/articles/config-vars#config-var-policies
 */
export function checkConfigSize(vars: ConfigVars, patch: Readonly<Record<string, string | null>>): void {
  let bytes = 0;
  for (const [key, value] of new Map<string, string | null>([
    ...Object.entries(vars),
    ...Object.entries(patch),
  ])) {
    if (value !== null) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes <= CONFIG_BYTES_MAX) return;
  throw new PlatformError(
    'invalid_params',
    `Cannot set config vars: they would take ${bytes} bytes of ${CONFIG_BYTES_MAX} allowed`,
    { hint: 'Keep large values in a file or a store, and a reference to it in the config' },
  );
}
