/** Says whether a path (relative, `/` between parts) is to be left out of the slug; folders end in no slash. */
export type Ignores = (path: string, isFolder: boolean) => boolean;

/**
 * Reads a `.slugignore`: patterns as in a `.gitignore`, except that `!` takes nothing back (such lines are skipped, as
 * on Heroku). A pattern with a slash before its end is bound to the root; any other matches at every depth.
 * @see https://devcenter.heroku.com/articles/slug-compiler#ignoring-files-with-slugignore
 */
export function parseSlugignore(text: string): Ignores {
  const rules = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('!'))
    .map(toRule);
  return (path, isFolder) =>
    rules.some(({ pattern, foldersOnly }) => (isFolder || !foldersOnly) && pattern.test(path));
}

function toRule(line: string): { pattern: RegExp; foldersOnly: boolean } {
  const foldersOnly = line.endsWith('/');
  const body = line.replace(/^\\(?=[#!])/, '').replace(/\/+$/, '');
  const isRooted = body.includes('/');
  const source = globSource(body.replace(/^\//, ''));
  return { pattern: new RegExp(`${isRooted ? '^' : '(?:^|/)'}${source}$`, 's'), foldersOnly };
}

/** `*` and `?` stay within a part; `**` spans parts. */
function globSource(glob: string): string {
  let source = '';
  for (let at = 0; at < glob.length;) {
    const rest = glob.slice(at);
    const token =
      /^(?:\*\*\/|\/\*\*$|\*+|\?|\[!?[^\]/]+\]|\\.)/s.exec(rest)?.[0] ??
      String.fromCodePoint(rest.codePointAt(0) ?? 0);
    source += tokenSource(token);
    at += token.length;
  }
  return source;
}

function tokenSource(token: string): string {
  if (token === '**/') return '(?:.*/)?';
  if (token === '/**') return '/.*';
  if (/^\*+$/.test(token)) return '[^/]*';
  if (token === '?') return '[^/]';
  if (/^\[.+\]$/s.test(token)) return classSource(token);
  return escapeRegExp(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token);
}

/** A character class; one that makes no valid class (`[z-a]`) matches literally, so that no line can throw. */
function classSource(token: string): string {
  const source = token
    .replace(/^\[!/, '[^')
    .replaceAll('\\', '\\\\')
    .replaceAll('[', '\\[')
    .replace(/^\\\[/, '[');
  try {
    return new RegExp(source, 's').source;
  } catch {
    return escapeRegExp(token);
  }
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
