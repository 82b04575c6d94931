import type { Paint } from './paint.ts';

const PREFIX = /^\S+ (\w+)\[([^\]]+)\]:/;

/** Colours what comes before the text of a line, the same for all lines of a dyno. */
export function paintLogLine(line: string, paint: Paint): string {
  const match = PREFIX.exec(line);
  if (match === null) return line;
  const [prefix, source = '', process = ''] = match;
  return colourOf(`${source}[${process}]`, paint)(prefix) + line.slice(prefix.length);
}

function colourOf(name: string, paint: Paint): (text: string) => string {
  const colours = [paint.cyan, paint.yellow, paint.green, paint.magenta, paint.blue];
  if (name.startsWith('heroku[router]')) return paint.dim;
  let hash = 0;
  for (const char of name) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return colours[hash % colours.length] ?? paint.cyan;
}
