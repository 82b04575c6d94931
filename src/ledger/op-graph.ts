import type { ClusterId, Epoch, OpId, PeerId } from '../ids.ts';
import { LayeredMap } from './layered-map.ts';
import { readBody } from './op-body.ts';
import type { Reading } from './op-body.ts';
import type { OpBodyOf, OpKind, StoredOp } from './op.ts';
import type { Hlc } from './hlc.ts';
import { readStamp } from './request-stamp.ts';

/** An op as the fold sees it: who, when, after what, and what it says. */
export type FoldOp = {
  readonly id: OpId;
  readonly cluster: ClusterId;
  readonly author: PeerId;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly hlc: Hlc;
  readonly parents: readonly OpId[];
  readonly reading: Reading;
  /** Of the client's request that it was written for; null where nothing is said of one. */
  readonly stamp: string | null;
};

/** A fold op whose body is of one kind. */
export type OpOf<Kind extends OpKind> = FoldOp & { readonly body: OpBodyOf<Kind> };

/** All ops that were seen, by cause and effect. */
export type OpGraph = {
  /** Ops whose whole past is here, in the order they came to be so: parents stand before children. */
  readonly known: LayeredMap<OpId, FoldOp>;
  /** Ops that lack a parent, directly or further back. */
  readonly incomplete: ReadonlyMap<OpId, FoldOp>;
  /** A missing op, and those that wait for it before anything else. */
  readonly awaited: ReadonlyMap<OpId, readonly FoldOp[]>;
};

export function emptyGraph(): OpGraph {
  return { known: LayeredMap.empty(), incomplete: new Map(), awaited: new Map() };
}

/** Adds ops, each once. `fresh` are those whose past became complete, parents before children. */
export function addToGraph(
  graph: OpGraph,
  ops: readonly StoredOp[],
): { graph: OpGraph; fresh: readonly FoldOp[] } {
  const known = graph.known.edit();
  const incomplete = new Map(graph.incomplete);
  const awaited = new Map(graph.awaited);
  const fresh: FoldOp[] = [];

  const settle = (first: FoldOp): void => {
    const queue = [first];
    for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
      const missing = op.parents.find((parent) => !known.has(parent));
      if (missing !== undefined) {
        incomplete.set(op.id, op);
        awaited.set(missing, [...(awaited.get(missing) ?? []), op]);
        continue;
      }
      incomplete.delete(op.id);
      known.set(op.id, op);
      fresh.push(op);
      queue.push(...(awaited.get(op.id) ?? []));
      awaited.delete(op.id);
    }
  };
  for (const stored of ops) {
    if (!known.has(stored.id) && !incomplete.has(stored.id)) settle(toFoldOp(stored));
  }
  return { graph: { known: known.done(), incomplete, awaited }, fresh };
}

/** The same ops, each after those of its parents that are among them; otherwise in the order given. */
export function parentsFirst<Op extends { readonly id: OpId; readonly parents: readonly OpId[] }>(
  ops: readonly Op[],
): readonly Op[] {
  const unplaced = new Map(ops.map((op) => [op.id, op]));
  const order: Op[] = [];
  for (const first of ops) {
    const stack = unplaced.has(first.id) ? [first] : [];
    for (let op = stack.at(-1); op !== undefined; op = stack.at(-1)) {
      const before = op.parents.find((parent) => unplaced.has(parent));
      const parent = before === undefined ? undefined : unplaced.get(before);
      if (parent !== undefined) {
        stack.push(parent);
        continue;
      }
      stack.pop();
      unplaced.delete(op.id);
      order.push(op);
    }
  }
  return order;
}

export function toFoldOp({ id, op }: StoredOp): FoldOp {
  const { cluster, author, epoch, seq, hlc, parents } = op;
  return { id, cluster, author, epoch, seq, hlc, parents, reading: readBody(op), stamp: readStamp(op) };
}
