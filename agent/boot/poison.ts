import type { Logger } from 'pino';
import type { OpId } from '../../src/ids.ts';
import { applyOps, emptyFold } from '../../src/ledger/fold.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import type { Store } from '../../src/shell/store.ts';

/** Starts in a row that ended before the agent was ready: after that many, the next one looks for the reason. */
const FAILED_STARTS_MAX = 2;
/** An op that was being applied at this many ends of the agent is not applied any more. */
const ENDS_MAX = 2;

type Shunned = Readonly<Record<OpId, string>>;

/**
 * The fold catches an op that throws; this guards against one that takes the whole process down. Once the agent has
 * failed to start twice, ops are applied one by one, each named durably first: the one that the agent dies of is found
 * by the name it leaves behind. It is stored and sent on as before, and skipped here; `doctor` shows it.
 * @param apply folds one op; may never return
 */
export async function findPoison(
  store: Store,
  ops: readonly StoredOp[],
  log: Logger,
  apply: (op: StoredOp) => void = rehearsal(),
): Promise<ReadonlyMap<OpId, string>> {
  let shunned = ((await store.getRecord('shunned')) ?? {}) as Shunned;
  const ends = ((await store.getRecord('ends')) ?? {}) as Record<OpId, number>;
  const suspect = (await store.getRecord('applying')) as OpId | null;
  if (suspect !== null) {
    ends[suspect] = (ends[suspect] ?? 0) + 1;
    if (ends[suspect] >= ENDS_MAX) {
      shunned = { ...shunned, [suspect]: `the agent ended ${ENDS_MAX} times while it was applied` };
      log.error({ op: suspect }, 'op is poison: it is skipped from now on');
    }
    await store.append([], { shunned, ends, applying: null });
  }
  const failedStarts = Number((await store.getRecord('failedStarts')) ?? 0);
  await store.append([], { failedStarts: failedStarts + 1 });
  if (failedStarts >= FAILED_STARTS_MAX) {
    log.warn({ failedStarts }, 'applying ops one by one');
    for (const op of ops) {
      if (op.id in shunned) continue;
      await store.append([], { applying: op.id });
      apply(op);
    }
    await store.append([], { applying: null });
  }
  return new Map(Object.entries(shunned) as [OpId, string][]);
}

/** The agent is up: its next start need not be suspicious. */
export async function noteStarted(store: Store): Promise<void> {
  await store.append([], { failedStarts: 0 });
}

function rehearsal(): (op: StoredOp) => void {
  let fold = emptyFold();
  return (op) => {
    fold = applyOps(fold, [op]);
  };
}
