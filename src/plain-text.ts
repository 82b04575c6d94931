/** Controls and formats move a terminal's cursor, forge lines of a log, or turn text around; the others are no text. */
const UNPRINTED = /[^\P{C}\n\t]|[\u2028\u2029]/gu;

/** A stranger's text as it may be shown and written down: lines of what is printed, and so many UTF-16 units at most. */
export function plainText(text: string, lengthMax: number): string {
  // The cut may leave half of a character.
  return text
    .replace(UNPRINTED, '')
    .slice(0, lengthMax)
    .replace(/\p{Cs}$/u, '');
}

/** The same in one line, for what stands in a sentence. */
export function plainLine(text: string, lengthMax: number): string {
  return plainText(text.replace(/\s+/gu, ' ').trim(), lengthMax);
}
