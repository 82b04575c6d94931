import { expect, test } from 'vitest';
import type { BlobId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { blobsInReach } from '../../src/blobs/reach.ts';
import { blobId, clusterWithApp, sync } from './builders.ts';

function setStack(arch: string, blob: BlobId): Command {
  return { type: 'stack.set', name: 'kith/stack:bookworm', arch, blob, bytes: 1_000 };
}

test('each architecture has one stack, the latest, and its blob stays in reach', () => {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  const [first, second, arm] = [blobId('s1'), blobId('s2'), blobId('s3')];
  peer.run(setStack('x64', first));
  peer.run(setStack('arm64', arm));
  peer.run(setStack('x64', second));
  expect([...peer.view.stacks.values()].map(({ arch, blob }) => [arch, blob])).toEqual([
    ['x64', second],
    ['arm64', arm],
  ]);
  expect(blobsInReach(peer.view).has(second)).toBe(true);
  expect(blobsInReach(peer.view).has(first)).toBe(false);
});

test('saying again what the stack is writes nothing', () => {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  peer.run(setStack('x64', blobId('s1')));
  const before = peer.ops.length;
  peer.run(setStack('x64', blobId('s1')));
  expect(peer.ops.length).toBe(before);
});

test('two sides of a split that import different stacks agree on one after it', () => {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  a.run(setStack('x64', blobId('s1')));
  b.run(setStack('x64', blobId('s2')));
  sync(a, b);
  sync(b, a);
  expect(a.view.stacks).toEqual(b.view.stacks);
  expect(a.view.stacks.size).toBe(1);
});
