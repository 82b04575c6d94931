import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';
const COLUMN_WIDTH_MIN = 8;

/**
 * Rows under headers, as lines that fit `width` columns: the widest column gives way first, cut with an ellipsis.
 * Cells may carry colours; a cut cell loses them.
 * @param width Infinity where nobody looks (a pipe): then nothing is cut
 */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  { width, header = (text) => text }: { width: number; header?: (text: string) => string },
): readonly string[] {
  const natural = headers.map((name, column) =>
    Math.max(widthOf(name), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const widths = fit(natural, width);
  const line = (cells: readonly string[], paint: (text: string) => string): string =>
    cells
      .map((cell, column) => paint(pad(cut(cell, widths[column] ?? 0), widths[column] ?? 0)))
      .join(GAP)
      .trimEnd();
  const plain = (text: string): string => text;
  const rule = widths.map((columns) => '─'.repeat(columns)).join(GAP);
  return [line(headers, header), rule, ...rows.map((row) => line(row, plain))];
}

export function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${Array.from(stripVTControlCharacters(text))
    .slice(0, Math.max(0, width - 1))
    .join('')}…`;
}

function fit(natural: readonly number[], width: number): readonly number[] {
  const widths = [...natural];
  const gaps = GAP.length * (widths.length - 1);
  for (;;) {
    const excess = widths.reduce((sum, columns) => sum + columns, gaps) - width;
    const widest = widths.indexOf(Math.max(...widths));
    const columns = widths[widest] ?? 0;
    if (excess <= 0 || columns <= COLUMN_WIDTH_MIN) return widths;
    const second = Math.max(COLUMN_WIDTH_MIN, ...widths.filter((_, index) => index !== widest));
    // Down to the next widest at once, and from there by turns.
    const step = Math.max(1, Math.min(excess, columns - second));
    widths[widest] = columns - step;
  }
}
