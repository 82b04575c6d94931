import type { OpId } from '../ids.ts';
import { asMemberOp, isInGoodStanding, judgeMembers, nobody } from './cluster/fold-members.ts';
import type { Membership } from './cluster/fold-members.ts';
import { FoldBatch, emptyState } from './fold-batch.ts';
import type { FoldState } from './fold-batch.ts';
import { addToGraph, emptyGraph } from './op-graph.ts';
import type { FoldOp, OpGraph } from './op-graph.ts';
import type { StoredOp } from './op.ts';
import { toView } from './to-view.ts';
import type { View } from './view.ts';

/**
 * What a set of ops means, and all that is needed to add more. An op counts once its whole past is here and its
 * author was admitted and not removed before it; so does whatever an op that counts was built on. Nothing here
 * depends on the order, batching or repetition of ops.
 */
export type Fold = {
  readonly view: View;
  readonly graph: OpGraph;
  readonly membership: Membership;
  readonly standing: Standing;
  readonly state: FoldState;
  /** Ops that are skipped unseen, with the reason: they were being applied when the agent crashed. */
  readonly shunned: ReadonlyMap<OpId, string>;
};

/** Which ops count. */
type Standing = {
  /** Complete ops that do not count, at least not yet; parents before children. */
  readonly held: ReadonlyMap<OpId, FoldOp>;
  /** Highest sequence number that counted on its author's own account, by `author/epoch`. */
  readonly reached: ReadonlyMap<string, FoldOp>;
};

const NOBODY_STANDS: Standing = { held: new Map(), reached: new Map() };

export function emptyFold(shunned: ReadonlyMap<OpId, string> = new Map()): Fold {
  const [graph, membership, state] = [emptyGraph(), nobody(), emptyState()];
  const view = toView(state, membership, { known: 0, waiting: 0 }, null);
  return { view, graph, membership, standing: NOBODY_STANDS, state, shunned };
}

/** Adds ops that the author logs accepted. Never throws: an op that cannot be applied is quarantined. */
export function applyOps(fold: Fold, ops: readonly StoredOp[]): Fold {
  const { graph, fresh } = addToGraph(fold.graph, ops);
  if (fresh.length === 0 && graph.incomplete.size === fold.graph.incomplete.size) return fold;
  const memberOps = fresh.flatMap((op) => (fold.shunned.has(op.id) ? [] : (asMemberOp(op) ?? [])));
  const membership =
    memberOps.length === 0 ? fold.membership : judgeMembers([...fold.membership.ops, ...memberOps]);
  const isSame = membership === fold.membership;

  // A removal may reach back before ops that counted. It is rare, so then all is folded again.
  const isUndone =
    !isSame && [...fold.standing.reached.values()].some((op) => !isInGoodStanding(membership, op));
  const from = isUndone ? { standing: NOBODY_STANDS, state: emptyState() } : fold;
  const candidates = isUndone ? [...graph.known.values()] : fresh;

  const batch = new FoldBatch(from.state, fold.shunned);
  const standing = count(from.standing, candidates, membership, !isSame && !isUndone, (op) =>
    batch.apply(op),
  );
  const state = batch.done();
  const waiting = graph.incomplete.size + unadmitted(standing, membership);
  const counts = { known: graph.known.size, waiting };
  const view = toView(state, membership, counts, {
    view: fold.view,
    state: fold.state,
    membership: fold.membership,
  });
  return { ...fold, view, graph, membership, standing, state };
}

/** Applies those ops that count now, each after everything it was built on. */
function count(
  standing: Standing,
  candidates: readonly FoldOp[],
  membership: Membership,
  isHeldRetried: boolean,
  apply: (op: FoldOp) => void,
): Standing {
  const held = new Map(standing.held);
  const reached = new Map(standing.reached);
  const tryOp = (op: FoldOp): void => {
    if (!isInGoodStanding(membership, op)) {
      held.set(op.id, op);
      return;
    }
    const key = `${op.author}/${op.epoch}`;
    if (op.seq >= (reached.get(key)?.seq ?? 0)) reached.set(key, op);
    applyWithPast(op, held, apply);
  };
  if (isHeldRetried) for (const op of standing.held.values()) if (held.has(op.id)) tryOp(op);
  for (const op of candidates) tryOp(op);
  return { held, reached };
}

/** A held op counts after all when one that counts was built on it: its author's peers have vouched for it. */
function applyWithPast(last: FoldOp, held: Map<OpId, FoldOp>, apply: (op: FoldOp) => void): void {
  const stack = [last];
  for (let op = stack.at(-1); op !== undefined; op = stack.at(-1)) {
    const before = held.size === 0 ? undefined : op.parents.find((parent) => held.has(parent));
    const parent = before === undefined ? undefined : held.get(before);
    if (parent !== undefined) {
      stack.push(parent);
      continue;
    }
    stack.pop();
    held.delete(op.id);
    apply(op);
  }
}

function unadmitted({ held }: Standing, { members }: Membership): number {
  let waiting = 0;
  for (const op of held.values()) if (!members.has(op.author)) waiting += 1;
  return waiting;
}
