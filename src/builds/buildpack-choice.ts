import { PlatformError } from '../errors.ts';

/** Where a buildpack comes from. */
export type BuildpackSource =
  /** One of our own, by name. */
  | { readonly tag: 'bundled'; readonly name: string }
  /** A folder of this host. */
  | { readonly tag: 'folder'; readonly path: string }
  | { readonly tag: 'git'; readonly url: string; readonly ref: string | null }
  | { readonly tag: 'tar'; readonly url: string };

/** Our own buildpacks, in the order in which they are asked whether an app is theirs. */
export const BUNDLED_BUILDPACKS = ['nodejs', 'python', 'go', 'static', 'procfile'] as const;

/** `heroku/nodejs`, `kith/nodejs`, `urn:buildpack:heroku/nodejs` and `nodejs` all name ours. */
const BUNDLED = /^(?:urn:buildpack:)?(?:(?:heroku|kith)\/)?([a-z][a-z0-9-]*)$/;

/** Which of our own a name means; null for none of them. */
export function bundledBuildpack(text: string): string | null {
  const named = BUNDLED.exec(text)?.[1] ?? '';
  return (BUNDLED_BUILDPACKS as readonly string[]).includes(named) ? named : null;
}

/**
 * Understands what `buildpacks:set` was given: a name, an absolute path, a git URL (`#ref` picks a branch, tag or
 * commit) or the URL of a `.tgz`, `.tar.gz` or `.tar`.
 * @throws PlatformError `build_failed` for anything else
 */
export function parseBuildpack(text: string): BuildpackSource {
  const own = bundledBuildpack(text);
  if (own !== null) return { tag: 'bundled', name: own };
  if (BUNDLED.test(text)) {
    throw new PlatformError('build_failed', `No buildpack is called "${text}"`, {
      hint: `There are ${BUNDLED_BUILDPACKS.join(', ')}; any other goes by its git or tar URL`,
    });
  }
  if (text.startsWith('/')) return { tag: 'folder', path: text };
  if (/^https?:\/\/\S+\.(?:tgz|tar\.gz|tar)(?:\?\S*)?$/.test(text)) return { tag: 'tar', url: text };
  const git = /^((?:https?|git|ssh|file):\/\/[^\s#]+|[\w.-]+@[\w.-]+:[^\s#]+)(?:#([^\s#-][^\s#]*))?$/.exec(
    text,
  );
  if (git?.[1] !== undefined) return { tag: 'git', url: git[1], ref: git[2] ?? null };
  throw new PlatformError('build_failed', `Cannot understand buildpack "${text}"`, {
    hint: 'Give a name (nodejs), an absolute path, a git URL or the URL of a .tgz',
  });
}
