import { expect, test } from 'vitest';
import { blobsInReach } from '../../src/blobs/reach.ts';
import type { BackupId, VolumeId } from '../../src/ids.ts';
import { BACKUPS_IN_REACH, backupsInReach, SLUGS_IN_REACH } from '../../src/ledger/reach.ts';
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

test('the newest backups of a volume are in reach, and stay so when it is destroyed', () => {
  const peer = peerWithApp();
  const volume = '00000000-0000-4000-8000-000000000001' as VolumeId;
  const ref = { app: appId(1), volume };
  const place = { peer: peer.id, copy: '00000000000000c1' };
  peer.run({ type: 'volume.create', ...ref, name: 'data', place });
  for (let n = 1; n <= BACKUPS_IN_REACH + 1; n += 1) {
    const kept = { peer: peer.id, archive: blobId(`backup ${n}`), bytes: n };
    peer.run({ type: 'volume.backup', ...ref, backup: `0000000${n}` as BackupId, kept });
  }
  peer.run({ type: 'volume.destroy', ...ref });
  const inReach = blobsInReach(peer.view);
  expect(inReach.has(blobId('backup 1'))).toBe(false);
  expect(inReach.has(blobId('backup 2'))).toBe(true);
  expect(backupsInReach(peer.app()).map(({ bytes }) => bytes)).toEqual([8, 7, 6, 5, 4, 3, 2]);
  peer.run({ type: 'volume.backup', ...ref, backup: '00000008' as BackupId, kept: null });
  expect(blobsInReach(peer.view).has(blobId('backup 8'))).toBe(false);
  expect(blobsInReach(peer.view).has(blobId('backup 1'))).toBe(true);
});
