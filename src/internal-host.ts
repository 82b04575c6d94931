/** The host that internal ports have in config vars. Each peer writes its own address in its place for its dynos. */
export const INTERNAL_HOST = 'kith.internal';

/** In the environment of each dyno: the address that stands for `INTERNAL_HOST` there. */
export const INTERNAL_HOST_VARIABLE = 'KITH_INTERNAL_HOST';

/** As a whole host name: neither part of a longer word nor of a longer name (`db.kith.internal`, `kith.internal.example`). */
const WHOLE_NAME = /(?<![\w.-])kith\.internal(?![\w-]|\.\w)/gi;

/**
 * Environment of a dyno at a peer whose router its dynos reach at `address`: values that name `kith.internal` name that
 * address, and `KITH_INTERNAL_HOST` is it. Names of variables stay.
 */
export function withInternalHost(
  env: Readonly<Record<string, string>>,
  address: string,
): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]) => [name, atInternalHost(value, address)] as const);
  return { ...Object.fromEntries(entries), [INTERNAL_HOST_VARIABLE]: address };
}

/** One such value, as an agent needs it for what it connects to itself. */
export function atInternalHost(value: string, address: string): string {
  return value.replace(WHOLE_NAME, address);
}
