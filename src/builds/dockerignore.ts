/** Says whether a path (relative to the build's context, `/` between parts) stays out of it. */
export type DockerIgnores = (path: string) => boolean;

type Rule = { readonly pattern: RegExp; readonly takesBack: boolean };

/**
 * Reads a `.dockerignore`: each pattern is bound to the root, `**` spans folders, what is below a match matches too, `!`
 * takes back, and the last rule that matches decides.
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseDockerignore(text: string): DockerIgnores {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap(toRule);
  return (path) =>
    rules.reduce((ignored, rule) => (rule.pattern.test(path) ? !rule.takesBack : ignored), false);
}

function toRule(line: string): readonly Rule[] {
  const takesBack = line.startsWith('!');
  const parts = (takesBack ? line.slice(1) : line).split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..')) return [];
  const source = parts.map((part) => (part === '**' ? '(?:.*/)?' : `${partSource(part)}/`)).join('');
  // The last part's slash is what may follow: the match itself, or anything below it.
  const whole = parts.at(-1) === '**' ? `${source.slice(0, -'(?:.*/)?'.length)}.*` : source.slice(0, -1);
  return [{ pattern: new RegExp(`^${whole}(?:/.*)?$`, 's'), takesBack }];
}

function partSource(part: string): string {
  let source = '';
  for (const [token] of part.matchAll(/\*+|\?|\[\^?[^\]]+\]|\\.|[^]/gu)) {
    if (token.startsWith('**')) source += '.*';
    else if (token === '*') source += '[^/]*';
    else if (token === '?') source += '[^/]';
    else if (/^\[.+\]$/.test(token)) source += classSource(token);
    else source += escapeRegExp(token.length === 2 && token.startsWith('\\') ? token.slice(1) : token);
  }
  return source;
}

/** One that makes no valid class (`[z-a]`) matches literally, so that no line can throw. */
function classSource(token: string): string {
  try {
    return new RegExp(token.replaceAll(/\[(?!\^?[^[]*\]$)/g, '\\['), 's').source;
  } catch {
    return escapeRegExp(token);
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
