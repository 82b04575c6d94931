import { expect, test } from 'vitest';
import { untilLinked } from '../../agent/lib/until-linked.ts';
import type { PeerId } from '../../src/ids.ts';

const PEER = '12D3KooWa' as PeerId;

test('who waits for a link goes on as soon as there is one', async () => {
  let isLinked = false;
  const waited = untilLinked({ isConnected: () => isLinked }, PEER, AbortSignal.timeout(30_000));
  isLinked = true;
  await expect(waited).resolves.toBeUndefined();
});

test('a wait that is called off ends at once', async () => {
  const off = new AbortController();
  const waited = untilLinked({ isConnected: () => false }, PEER, off.signal);
  off.abort(new Error('closing'));
  await expect(waited).rejects.toThrow();
});
