// Heroku splits longer lines too. https://devcenter.heroku.com/articles/logging#log-format
export const LINE_BYTES_MAX = 10_000;

/**
 * The lines that a piece of output makes: cut at line ends, and each of them into pieces of at most `bytesMax` UTF-8
 * bytes, never inside a character. Half surrogates become U+FFFD, so that every piece can be encoded.
 * @returns at least one piece; a final line end makes no empty piece
 */
export function splitText(text: string, bytesMax = LINE_BYTES_MAX): readonly string[] {
  const whole = text.toWellFormed().replace(/\r?\n$/, '');
  // Most lines are short and single: no copying for them.
  if (whole.length * 3 <= bytesMax && !whole.includes('\n')) return [whole];
  return whole.split(/\r?\n/).flatMap((line) => cutBytes(line, bytesMax));
}

function cutBytes(line: string, bytesMax: number): readonly string[] {
  const bytes = Buffer.from(line, 'utf8');
  if (bytes.length <= bytesMax) return [line];
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length;) {
    let end = Math.min(start + bytesMax, bytes.length);
    // A continuation byte (10xxxxxx) after the cut means that a character would be torn.
    while (end < bytes.length && end > start + 1 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    pieces.push(bytes.toString('utf8', start, end));
    start = end;
  }
  return pieces;
}
