import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { expect, test } from 'vitest';
import type { PeerId } from '../../src/ids.ts';
import { adoptHlc, compareHlc, nextHlc } from '../../src/ledger/hlc.ts';
import { createSigner, peerIdOf, publicKeyOf } from '../../src/ledger/signing.ts';

test('a signer is the peer that libp2p makes of the same seed', async () => {
  const seed = new Uint8Array(32).fill(7);
  const key = await generateKeyPairFromSeed('Ed25519', seed);
  const signer = createSigner(seed);
  expect(signer.peer).toBe(peerIdFromPrivateKey(key).toString());
  expect(publicKeyOf(signer.peer)).toEqual(key.publicKey.raw);
  expect(peerIdOf(key.publicKey.raw)).toBe(signer.peer);
  expect(await key.publicKey.verify(Uint8Array.of(1, 2), signer.sign(Uint8Array.of(1, 2)))).toBe(true);
});

test.each(['', 'not base58 0OIl', 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'])(
  '"%s" holds no public key',
  (peer) => {
    expect(() => publicKeyOf(peer as PeerId)).toThrow(/Cannot use a peer's key/);
  },
);

test('a hybrid clock goes on when the wall clock stands or falls back', () => {
  const first = nextHlc({ ms: 0, n: 0 }, 100);
  const second = nextHlc(first, 100);
  const third = nextHlc(second, 50);
  expect([first, second, third]).toEqual([
    { ms: 100, n: 0 },
    { ms: 100, n: 1 },
    { ms: 100, n: 2 },
  ]);
  expect(nextHlc(third, 101)).toEqual({ ms: 101, n: 0 });
  expect(compareHlc(first, second)).toBeLessThan(0);
});

test('a remote time is adopted up to a minute ahead and not beyond', () => {
  const last = { ms: 1_000, n: 3 };
  expect(adoptHlc(last, { ms: 61_000, n: 1 }, 1_000)).toEqual({ ms: 61_000, n: 1 });
  expect(adoptHlc(last, { ms: 61_001, n: 0 }, 1_000)).toEqual(last);
  expect(adoptHlc(last, { ms: 999, n: 9 }, 1_000)).toEqual(last);
});
