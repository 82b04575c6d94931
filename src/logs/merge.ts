import type { LogLine } from './line.ts';

/**
 * One stream out of several, by time; ties by peer, then number. Lines of one process keep their order even when its
 * peer's clock jumped, because only the heads of the streams are compared; those of different processes of one peer
 * are sorted, as the router's and the dynos' reach its log in batches, a few milliseconds late.
 * @param streams one per peer, each in order of its `seq`
 */
export function mergeByTime(streams: readonly (readonly LogLine[])[]): readonly LogLine[] {
  const merged: LogLine[] = [];
  const cursors = streams.flatMap(byProcess).map((lines) => ({ lines, at: 0 }));
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

function byProcess(lines: readonly LogLine[]): readonly (readonly LogLine[])[] {
  return [...Map.groupBy(lines, ({ source, process }) => `${source}[${process}]`).values()];
}

function headOf(
  cursor: { readonly lines: readonly LogLine[]; readonly at: number } | undefined,
): LogLine | undefined {
  return cursor?.lines[cursor.at];
}

function isBefore(a: LogLine | undefined, b: LogLine | undefined): boolean {
  if (a === undefined || b === undefined) return b === undefined;
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  return a.peer === b.peer ? a.seq < b.seq : a.peer < b.peer;
}
