import type { Epoch, OpId, PeerId } from '../ids.ts';
import { digest } from './codec.ts';
import { LayeredMap } from './layered-map.ts';
import type { StoredOp } from './op.ts';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * What we hold of one author's log in one epoch: normally a chain. Where two ops bear one sequence number (a restored
 * backup, a cloned disk) it is a tree; both branches are kept, and nobody appends to it any more.
 */
export type AuthorLog = {
  readonly author: PeerId;
  readonly epoch: Epoch;
  /** Highest sequence number, all below it held too; -1 when empty. */
  readonly height: number;
  /** The op at `height` that came first: what an author's next op names as `prev`. */
  readonly head: OpId | null;
  /** Ids by sequence number. */
  readonly ids: LayeredMap<number, readonly OpId[]>;
  /** Ids that share their sequence number with another. Not empty: sealed. */
  readonly siblings: ReadonlySet<OpId>;
  /** A number that two peers share when they hold the same ops up to the same height. */
  readonly headDigest: number;
  /** Sequence number of a signed op that joins none of ours: somebody holds a branch that we lack. */
  readonly suspect: number | null;
};

export function emptyLog(author: PeerId, epoch: Epoch): AuthorLog {
  return {
    author,
    epoch,
    height: -1,
    head: null,
    ids: LayeredMap.empty(),
    siblings: new Set(),
    headDigest: 0,
    suspect: null,
  };
}

export function holds(log: AuthorLog, op: StoredOp): boolean {
  return log.ids.get(op.op.seq)?.includes(op.id) ?? false;
}

/** Adds ops that link to it, in sequence. Returns the sequence numbers that got a second op. */
export function extendLog(log: AuthorLog, ops: readonly StoredOp[]): { log: AuthorLog; forks: number[] } {
  const ids = log.ids.edit();
  const siblings = new Set(log.siblings);
  const forks: number[] = [];
  let { height, head } = log;
  for (const { id, op } of ops) {
    const held = ids.get(op.seq);
    ids.set(op.seq, held === undefined ? [id] : [...held, id]);
    if (held !== undefined) {
      forks.push(op.seq);
      for (const sibling of [...held, id]) siblings.add(sibling);
    }
    if (op.seq > height) ({ height, head } = { height: op.seq, head: id });
  }
  const heads = ids.get(height) ?? [];
  const grown = {
    ...log,
    height,
    head,
    ids: ids.done(),
    siblings: forks.length > 0 ? siblings : log.siblings,
    headDigest: digestOf(new Set([...heads, ...siblings])),
  };
  return { log: grown, forks };
}

/** 45 bits, so that it is a safe integer as heights are. A head alone names all that is below it. */
function digestOf(ids: ReadonlySet<OpId>): number {
  const [only, ...others] = ids;
  const text = others.length === 0 ? (only ?? '') : digest([...ids].sort().join());
  let bits = 0;
  for (const letter of text.slice(0, 9)) bits = bits * 32 + BASE32.indexOf(letter);
  return bits;
}
