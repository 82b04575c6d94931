import type { LogLine } from './line.ts';

/**
 * One stream out of several, by time; ties by peer. Lines of one peer keep their order even when its clock jumped,
 * because only the heads of the streams are compared.
 * @param streams one per peer, each in order of its `seq`
 */
export function mergeByTime(streams: readonly (readonly LogLine[])[]): readonly LogLine[] {
  const merged: LogLine[] = [];
  const cursors = streams.filter((lines) => lines.length > 0).map((lines) => ({ lines, at: 0 }));
  while (cursors.length > 0) {
    let first = 0;
    for (let i = 1; i < cursors.length; i += 1) {
      if (isBefore(headOf(cursors[i]), headOf(cursors[first]))) first = i;
    }
    const cursor = cursors[first];
    const line = headOf(cursor);
    if (cursor === undefined || line === undefined) break;
    merged.push(line);
    cursor.at += 1;
    if (cursor.at === cursor.lines.length) cursors.splice(first, 1);
  }
  return merged;
}

function headOf(
  cursor: { readonly lines: readonly LogLine[]; readonly at: number } | undefined,
): LogLine | undefined {
  return cursor?.lines[cursor.at];
}

function isBefore(a: LogLine | undefined, b: LogLine | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined;
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  return a.peer < b.peer;
}
