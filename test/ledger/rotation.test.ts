import { expect, test } from 'vitest';
import { addonDuties, nextAddonStep } from '../../src/ledger/addons/addon-work.ts';
import type { Command } from '../../src/ledger/command.ts';
import { addonAt, addonId, createAddon, sealedConfig, settleAddon, syncAddon } from './addon-builders.ts';
import { appId, clusterWithApp, refusal, sync } from './builders.ts';
import type { TestPeer } from './builders.ts';

const OF = { app: appId(1), addon: addonId(1) } as const;
const ask: Command = { type: 'addon.rotate', ...OF };

function withAddon(count: number): readonly TestPeer[] {
  const peers = clusterWithApp(count);
  const [first] = peers;
  if (first === undefined) throw new Error('no peer');
  first.run(createAddon());
  first.run(settleAddon(1, 'provisioned'));
  first.run(syncAddon(first));
  sync(...peers);
  return peers;
}

function answer(peer: TestPeer, stage: 'released' | 'ended', url = 'redis://new'): Command {
  const rotation = addonAt(peer).rotation?.id;
  if (rotation === undefined) throw new Error('no rotation');
  const config = stage === 'released' ? sealedConfig({ REDIS_URL: url }) : {};
  return { type: 'addon.rotated', ...OF, rotation, stage, config };
}

test('new credentials are made, given to apps, and only then the old ones ended', () => {
  const [peer] = withAddon(1);
  if (peer === undefined) throw new Error('no peer');
  const step = (): string | undefined => nextAddonStep(peer.view, addonAt(peer))?.do;
  peer.run(ask);
  expect(step()).toBe('rotate');
  expect(addonDuties(peer.view)).toEqual([{ kind: 'addon', key: addonId(1) }]);
  peer.run(answer(peer, 'released'));
  expect(step()).toBe('sync');
  peer.run(syncAddon(peer));
  expect(peer.config('REDIS_URL')).toBe('redis://new');
  expect(step()).toBe('end-rotation');
  peer.run(answer(peer, 'ended'));
  expect(step()).toBeUndefined();
  expect(addonDuties(peer.view)).toEqual([]);
});

test('to ask twice is to ask once, and not before the last rotation is over', () => {
  const [peer] = withAddon(1);
  if (peer === undefined) throw new Error('no peer');
  peer.run(ask);
  const { rotation } = addonAt(peer);
  peer.run(ask);
  expect(addonAt(peer).rotation).toEqual(rotation);
  peer.run(answer(peer, 'released'));
  expect(refusal(peer.decide(ask))).toMatchObject({ code: 'conflict' });
});

test('who speaks of a rotation that is past changes nothing', () => {
  const [peer] = withAddon(1);
  if (peer === undefined) throw new Error('no peer');
  peer.run(ask);
  const late = answer(peer, 'released', 'redis://late');
  peer.run(answer(peer, 'released'));
  peer.run(late);
  peer.run(syncAddon(peer));
  expect(peer.config('REDIS_URL')).toBe('redis://new');
});

test('two peers that do it at once on two sides end with one and the same', () => {
  const [a, b] = withAddon(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  a.run(ask);
  sync(a, b);
  for (const peer of [a, b]) peer.run(answer(peer, 'released'));
  a.run(answer(a, 'ended'));
  sync(a, b);
  expect(addonAt(a)).toEqual(addonAt(b));
  for (const peer of [a, b]) if (addonAt(peer).rotation !== null) peer.run(answer(peer, 'ended'));
  sync(a, b);
  expect(addonAt(a)).toMatchObject({ rotation: null });
  expect(addonAt(a)).toEqual(addonAt(b));
});
