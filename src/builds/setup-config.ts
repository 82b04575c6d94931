import type { AppJson } from './app-json.ts';

/** What a setup sets, and what it lacks. */
export type SetupConfig = {
  /** In clear; a null value is a secret to be made up. */
  readonly set: Readonly<Record<string, string | null>>;
  /** Required, without a value, and given by nobody. */
  readonly missing: readonly string[];
};

/**
 * The config vars that an app is set up with. What was asked for comes first, then what the pipeline gives to apps of the
 * stage, then app.json.
 * @param overrides those that come before app.json, the most telling last
 */
export function setupConfig(
  { env }: Pick<AppJson, 'env'>,
  ...overrides: readonly Readonly<Record<string, string>>[]
): SetupConfig {
  const given = Object.assign({}, ...overrides) as Record<string, string>;
  const wished = env.flatMap(({ key, value }) =>
    value === null ? [] : [[key, typeof value === 'string' ? value : null] as const],
  );
  const missing = env
    .filter(({ key, value, required }) => value === null && required && !Object.hasOwn(given, key))
    .map(({ key }) => key);
  return { set: { ...Object.fromEntries(wished), ...given }, missing };
}
