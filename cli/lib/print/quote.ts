/**
 * The words of `kith run CMD…` as one command line, quoted as Heroku's CLI does: a single word is a whole command
 * line already, and `$NAME` is left for the dyno's shell.
 */
export function joinCommand(words: readonly string[]): string {
  const [only] = words;
  if (only !== undefined && words.length === 1) return only;
  return words.map((word) => (/[ "]/.test(word) ? `"${word.replaceAll('"', '\\"')}"` : word)).join(' ');
}

/** One word for a POSIX shell, whatever it holds. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
