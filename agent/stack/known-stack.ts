import { compareStamps } from '../../src/ledger/hlc.ts';
import { readBody } from '../../src/ledger/op-body.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import type { BlobId } from '../../src/ids.ts';

/**
 * The stack of an architecture by stored ops, before the ledger is folded: good enough to try an import at the start, and
 * what the ledger really says is followed later.
 */
export function knownStack(ops: readonly StoredOp[], arch: string): { readonly blob: BlobId } | null {
  const writes = ops
    .filter(({ op }) => op.kind === 'stack.set')
    .map(({ id, op }) => ({ id, hlc: op.hlc, reading: readBody(op) }))
    .sort((a, b) => compareStamps(b, a));
  for (const { reading } of writes) {
    if (reading.tag !== 'body' || reading.body.kind !== 'stack.set') continue;
    if (reading.body.arch === arch) return { blob: reading.body.blob };
  }
  return null;
}
