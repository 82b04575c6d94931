import type { ClusterId, Epoch, OpId, PeerId } from '../../src/ids.ts';
import type { StoredOp } from '../../src/ledger/op.ts';

export const author = 'alice' as PeerId;
export const epoch = 'first' as Epoch;

/** An op as far as the store looks at it: place and bytes. Its id and signature are made up. */
export function storedOp(
  seq: number,
  options: { by?: PeerId; of?: Epoch; sibling?: string; text?: string } = {},
): StoredOp {
  const { by = author, of = epoch, sibling = 'a' } = options;
  const { text = `op ${seq}${sibling}` } = options;
  return {
    id: `${sibling}${seq}`.padEnd(52, '2') as OpId,
    bytes: Buffer.from(text),
    op: {
      v: 1,
      cluster: 'cluster' as ClusterId,
      author: by,
      epoch: of,
      seq,
      prev: null,
      hlc: { ms: 0, n: 0 },
      parents: [],
      kind: 'test',
      body: null,
      sig: new Uint8Array(64),
    },
  };
}
