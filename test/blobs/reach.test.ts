import { expect, test } from 'vitest';
import { blobsInReach, SLUGS_IN_REACH } from '../../src/blobs/reach.ts';
import {
  appId,
  blobId,
  clusterWithApp,
  deploy,
  setConfig,
  slugOf,
  type TestPeer,
} from '../ledger/builders.ts';

function peerWithApp(): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('No peer was made');
  return peer;
}

test('the latest slugs are in reach, older ones are not', () => {
  const peer = peerWithApp();
  for (let n = 1; n <= SLUGS_IN_REACH + 5; n += 1) peer.run(deploy(`slug ${n}`));
  const inReach = blobsInReach(peer.view);
  expect(inReach.has(blobId('slug 5'))).toBe(false);
  expect(inReach.has(blobId('slug 6'))).toBe(true);
  expect(inReach.has(blobId(`slug ${SLUGS_IN_REACH + 5}`))).toBe(true);
});

test('config changes do not push a slug out of reach', () => {
  const peer = peerWithApp();
  peer.run(deploy('first'));
  peer.run(deploy('second'));
  for (let n = 0; n < 3 * SLUGS_IN_REACH; n += 1) peer.run(setConfig({ N: String(n) }));
  expect(blobsInReach(peer.view).has(blobId('first'))).toBe(true);
});

test('layers and the latest histories are in reach with their slug', () => {
  const peer = peerWithApp();
  for (const text of ['one', 'two', 'three']) {
    const slug = {
      ...slugOf(text),
      layers: [{ id: blobId('node'), bytes: 1 }],
      source: blobId(`history of ${text}`),
    };
    peer.run({ type: 'release.deploy', app: appId(1), slug, description: '' });
  }
  const inReach = blobsInReach(peer.view);
  expect(inReach.has(blobId('node'))).toBe(true);
  expect(inReach.has(blobId('history of three'))).toBe(true);
  expect(inReach.has(blobId('history of one'))).toBe(false);
});

test('nothing of a destroyed app is in reach', () => {
  const peer = peerWithApp();
  peer.run(deploy('slug'));
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect(blobsInReach(peer.view).size).toBe(0);
});
