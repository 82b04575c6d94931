import { compareStamps } from '../hlc.ts';
import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import type { Setup, SetupBody } from './setup-types.ts';

type Ended = Pick<FoldOp, 'id' | 'hlc'> & { readonly body: OpBodyOf<'setup.settle'> };

/** How an app came to be, where it was set up from an archive and its app.json. */
export type SetupState = {
  readonly created: (Pick<FoldOp, 'id' | 'hlc'> & { readonly body: OpBodyOf<'setup.create'> }) | null;
  readonly ended: readonly Ended[];
};

export const NO_SETUP: SetupState = { created: null, ended: [] };

export function applySetup(state: SetupState, { id, hlc }: FoldOp, body: SetupBody): SetupState {
  if (body.kind === 'setup.settle') return { ...state, ended: [...state.ended, { id, hlc, body }] };
  const created = { id, hlc, body };
  if (state.created !== null && compareStamps(state.created, created) <= 0) return state;
  return { ...state, created };
}

/**
 * Two peers may have done it, on two sides of a split. A failure counts more than a success, because it has destroyed
 * the app; among equals the first.
 */
export function toSetup({ created, ended }: SetupState): Setup | null {
  if (created === null) return null;
  const { kind: _, app: __, ...said } = created.body;
  const [end] = ended
    .filter(({ body }) => body.setup === said.setup)
    .toSorted(
      (a, b) =>
        Number(a.body.status === 'succeeded') - Number(b.body.status === 'succeeded') || compareStamps(a, b),
    );
  const settled = end && {
    status: end.body.status,
    reason: end.body.reason,
    manifestErrors: end.body.manifestErrors,
    postdeploy: end.body.postdeploy,
    at: end.hlc.ms,
  };
  return { ...said, createdAt: created.hlc.ms, settled: settled ?? null };
}
