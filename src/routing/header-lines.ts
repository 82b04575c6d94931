import {
  FORBIDDEN_IN_HEAD,
  rejected,
  TOKEN,
  type Header,
  type HeadLimits,
  type Rejection,
} from './http-syntax.ts';

export type HeaderLines = { readonly first: string; readonly headers: readonly Header[] };

/**
 * Splits a head into its first line and its headers. Refuses folded lines, blanks around names, and characters that
 * two parsers might read in two ways.
 * @param text the head as latin1, from its first line to the empty line that ends it, both CRLFs included
 */
export function parseHeaderLines(text: string, limits: HeadLimits): HeaderLines | Rejection {
  if (FORBIDDEN_IN_HEAD.test(text)) return rejected(400, 'a control character in the head');
  const firstEnd = text.indexOf('\r\n');
  const headers: Header[] = [];
  const end = text.length - 2;
  for (let at = firstEnd + 2; at < end;) {
    const lineEnd = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > lineEnd) return rejected(400, 'a header without a colon');
    const name = text.slice(at, colon);
    // A folded line begins with a blank, and a blank before the colon hides a name from some parsers: neither is a token.
    if (!TOKEN.test(name)) return rejected(400, 'a header name with bad characters');
    if (name.length > limits.nameBytesMax) return rejected(431, 'a header name is too long');
    headers.push({ name, key: name.toLowerCase(), value: trimBlanks(text, colon + 1, lineEnd) });
    at = lineEnd + 2;
  }
  return { first: text.slice(0, firstEnd), headers };
}

/** Only SP and HTAB are blanks here: `trim()` would also take away bytes such as 0xA0 that a dyno may see otherwise. */
function trimBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
