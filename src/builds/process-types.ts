import type { Commands } from './procfile.ts';

export type ProcessTypes = {
  /** What dynos of this slug can run. */
  readonly all: Commands;
  /** Types of the Procfile, sorted, for display. */
  readonly declared: readonly string[];
  /** Types that only the buildpack gave, sorted. */
  readonly defaults: readonly string[];
};

/**
 * The process types of a slug: the Procfile wins over the buildpack's defaults, which fill in what it leaves out.
 * @param procfile null where the app has none
 */
export function processTypes(procfile: Commands | null, buildpackDefaults: Commands): ProcessTypes {
  const declared = procfile ?? {};
  const defaults = Object.fromEntries(
    Object.entries(buildpackDefaults).filter(([type]) => !Object.hasOwn(declared, type)),
  );
  return {
    all: { ...defaults, ...declared },
    declared: Object.keys(declared).sort(),
    defaults: Object.keys(defaults).sort(),
  };
}

/** The lines under `Discovering process types`. */
export function describeProcessTypes(types: ProcessTypes, buildpack: string): readonly string[] {
  const list = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : '(none)');
  const title = `Default types for ${buildpack}`;
  return [
    `       ${'Procfile declares types'.padEnd(title.length)} -> ${list(types.declared)}`,
    ...(types.defaults.length > 0 || types.declared.length === 0
      ? [`       ${title.padEnd('Procfile declares types'.length)} -> ${list(types.defaults)}`]
      : []),
  ];
}
