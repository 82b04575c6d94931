import type { OpId } from '../ids.ts';
import type { StoredOp } from './op.ts';

const PREFIX = 'draft:';

/**
 * Stands for the id of an earlier draft of the same command, which only `appendDrafts` can know: ids are hashes of
 * what is written before them. Never part of an op.
 */
export function draftRef(index: number): OpId {
  return `${PREFIX}${index}` as OpId;
}

/** Puts the ids of the ops already written in place of references to them. */
export function resolveDraftRefs(parents: readonly OpId[], written: readonly StoredOp[]): readonly OpId[] {
  return parents.map((parent) => {
    if (!parent.startsWith(PREFIX)) return parent;
    const op = written[Number(parent.slice(PREFIX.length))];
    if (op === undefined) throw new Error(`Draft reference "${parent}" names no earlier draft`);
    return op.id;
  });
}
