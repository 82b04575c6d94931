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

/** Folders of the machine that builds, and what is fetched with its SSH keys. */
const OF_THE_HOST = /^(?:\/|file:|ssh:|[\w.-]+@[\w.-]+:)/i;

/**
 * A buildpack that is read with what the machine that builds may read is for admins of the cluster to name. Whoever may
 * deploy an app may name all others, and what was named before.
 * @param known those that the app has
 * @throws PlatformError `forbidden`
 */
export function mustBeOpenToAll(buildpacks: readonly string[], known: readonly string[]): void {
  const wrong = buildpacks.find((text) => OF_THE_HOST.test(text) && !known.includes(text));
  if (wrong === undefined) return;
  throw new PlatformError(
    'forbidden',
    `Only an admin of the cluster may name the buildpack "${wrong}": it is read with the rights of the machine that builds`,
    {
      hint: 'Name one by an https or git URL, or let an admin run `kith buildpacks:set` for the app: app.json and BUILDPACK_URL may then name it too',
    },
  );
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
