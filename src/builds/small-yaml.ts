import { PlatformError } from '../errors.ts';

/** What the small YAML below can say: texts, lists and maps of them. All scalars are texts; an empty one is ''. */
export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };

type Line = { readonly number: number; readonly indent: number; readonly text: string };

/**
 * Reads the YAML that people write in a heroku.yml: block maps and lists, `[a, b]`, `|` and `>` texts, quotes and comments.
 * @throws PlatformError `build_failed` naming the line of anything else (anchors, tags, tabs, several documents)
 */
export function parseSmallYaml(text: string, file: string): Yaml {
  return new Reader(text, file).document();
}

class Reader {
  readonly #file: string;
  readonly #raw: readonly string[];
  readonly #lines: readonly Line[];
  #at = 0;

  constructor(text: string, file: string) {
    this.#file = file;
    this.#raw = text.split(/\r?\n/);
    this.#lines = this.#raw.flatMap((line, index) => {
      const bare = withoutComment(line).trimEnd();
      if (bare.trim() === '' || bare === '---') return [];
      const indent = bare.length - bare.trimStart().length;
      return [{ number: index + 1, indent, text: bare.trimStart() }];
    });
  }

  document(): Yaml {
    const [first] = this.#lines;
    if (first === undefined) return {};
    const value = this.#block(first.indent);
    const rest = this.#lines[this.#at];
    if (rest !== undefined) throw this.#flaw(rest, 'its indentation fits nothing above');
    return value;
  }

  /** The map, list or scalar that begins at this line. */
  #block(indent: number): Yaml {
    const line = this.#lines[this.#at];
    if (line === undefined || line.indent < indent) return '';
    if (isItem(line)) return this.#list(line.indent);
    if (keyOf(line.text) !== null) return this.#map(line.indent);
    this.#at += 1;
    return this.#scalar(line, line.text);
  }

  #list(indent: number): readonly Yaml[] {
    const items: Yaml[] = [];
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      if (line.indent !== indent || !isItem(line)) break;
      const text = line.text.slice(1).trimStart();
      if (keyOf(text) !== null) throw this.#flaw(line, 'maps in a list are not read here');
      this.#at += 1;
      items.push(text === '' ? this.#block(indent + 1) : this.#value(line, text));
    }
    return items;
  }

  #map(indent: number): { readonly [key: string]: Yaml } {
    const map = new Map<string, Yaml>();
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      if (line.indent < indent) break;
      const found = keyOf(line.text);
      if (line.indent > indent || found === null) throw this.#flaw(line, 'it is no "key: value"');
      if (map.has(found.key)) throw this.#flaw(line, `"${found.key}" stands there twice`);
      this.#at += 1;
      map.set(found.key, found.rest === '' ? this.#nested(indent) : this.#value(line, found.rest));
    }
    return Object.fromEntries(map);
  }

  /** What a key without a value on its line has below it; a list may stand as far left as its key. */
  #nested(indent: number): Yaml {
    const next = this.#lines[this.#at];
    if (next === undefined) return '';
    if (next.indent === indent && isItem(next)) return this.#list(indent);
    return this.#block(indent + 1);
  }

  #value(line: Line, text: string): Yaml {
    const style = /^([|>])([-+]?)$/.exec(text);
    return style === null
      ? this.#scalar(line, text)
      : this.#textBlock(line, style[1] === '|', style[2] === '-');
  }

  /** The raw lines below, comments and all, as far as they are indented more. */
  #textBlock(line: Line, isLiteral: boolean, isStripped: boolean): string {
    const texts: string[] = [];
    let end = line.number;
    for (const raw of this.#raw.slice(line.number)) {
      const indent = raw.length - raw.trimStart().length;
      if (raw.trim() !== '' && indent <= line.indent) break;
      texts.push(raw);
      end += 1;
    }
    while (this.#at < this.#lines.length && (this.#lines[this.#at]?.number ?? 0) <= end) this.#at += 1;
    while (texts.at(-1)?.trim() === '') texts.pop();
    const depth = Math.min(...texts.filter((raw) => raw.trim() !== '').map((raw) => raw.search(/\S/)));
    const lines = texts.map((raw) => raw.slice(depth));
    return lines.join(isLiteral ? '\n' : ' ') + (isStripped || lines.length === 0 ? '' : '\n');
  }

  #scalar(line: Line, text: string): Yaml {
    if (text.startsWith('[')) return this.#flowList(line, text);
    if (text === '{}') return {};
    if (/^[&*!{%@`]/.test(text))
      throw this.#flaw(line, `"${text[0]}" is not read here: put quotes around it`);
    const quoted = unquote(text);
    if (quoted !== null) return quoted;
    if (/^["']/.test(text)) throw this.#flaw(line, 'a quote is not closed');
    return text === '~' || text === 'null' ? '' : text;
  }

  #flowList(line: Line, text: string): readonly Yaml[] {
    const items = /^\[\s*(.*?)\s*,?\s*\]$/.exec(text)?.[1];
    if (items === undefined) throw this.#flaw(line, 'a list in brackets ends on its own line');
    const found = items.match(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\s[\]{}"'][^,[\]{}]*/g) ?? [];
    if (items.replace(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'/g, '').match(/[[\]{}]/)) {
      throw this.#flaw(line, 'lists in lists are not read here');
    }
    return found.map((item) => this.#scalar(line, item.trim()));
  }

  #flaw(line: Line, what: string): PlatformError {
    return new PlatformError('build_failed', `Cannot read line ${line.number} of ${this.#file}: ${what}`);
  }
}

function isItem({ text }: Line): boolean {
  return text === '-' || text.startsWith('- ');
}

function keyOf(text: string): { key: string; rest: string } | null {
  const found =
    /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'[\]{},&*!|>%@`-][^:]*?|-[^\s:][^:]*?)\s*:(?:\s+(.*))?$/.exec(
      text,
    );
  if (found === null) return null;
  const [, key = '', rest = ''] = found;
  return { key: unquote(key) ?? key, rest };
}

function unquote(text: string): string | null {
  if (/^'(?:[^']|'')*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) return null;
  return text
    .slice(1, -1)
    .replaceAll(/\\(.)/g, (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? letter);
}

/** A `#` begins a comment at the start of a line or after a space, but not within quotes. */
function withoutComment(line: string): string {
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at] ?? '';
    if (quote !== '') {
      if (letter === '\\' && quote === '"') at += 1;
      else if (letter === quote) quote = '';
    } else if ((letter === '"' || letter === "'") && /(?:^|[\s[,:-])$/.test(line.slice(0, at)))
      quote = letter;
    else if (letter === '#' && (at === 0 || /\s/.test(line[at - 1] ?? ''))) return line.slice(0, at);
  }
  return line;
}
