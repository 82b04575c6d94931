import { expect, test } from 'vitest';
import { addonDuties, nextAddonStep } from '../../src/ledger/addons/addon-work.ts';
import { hasSameAttachments, planNames } from '../../src/ledger/addons/attachments.ts';
import { resolveAddons } from '../../src/platform/find-addon.ts';
import {
  addonAt,
  addonId,
  attach,
  attachmentId,
  createAddon,
  sealedConfig,
  settleAddon,
  syncAddon,
} from './addon-builders.ts';
import { appId, clusterWithApp, createApp, deploy, refusal, setConfig, sync } from './builders.ts';
import type { TestPeer } from './builders.ts';

function oneWithApp(): TestPeer {
  const [peer] = clusterWithApp(1);
  if (peer === undefined) throw new Error('no peer');
  return peer;
}

function twoWithApp(): [TestPeer, TestPeer] {
  const [a, b] = clusterWithApp(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  return [a, b];
}

function descriptions(peer: TestPeer, app = 1): readonly string[] {
  return [...peer.app(app).releases.values()]
    .sort((a, b) => a.number - b.number)
    .map(({ description }) => description);
}

/** An add-on that its provider made at once. */
function provisioned(peer: TestPeer, n = 1): void {
  peer.run(createAddon(n));
  peer.run(settleAddon(n, 'provisioned'));
  peer.run(syncAddon(peer, n));
}

test('of two add-ons that were given one name at once the earlier has it, and the later keeps the other that it got', () => {
  const [a, b] = twoWithApp();
  a.run(createApp(2, 'shop'));
  sync(a, b);
  a.run(createAddon(1, { name: 'cache' }));
  b.wall = a.wall + 10;
  b.run(createAddon(2, { name: 'cache', app: appId(2) }));
  expect(addonAt(b, 2).name).toBe('cache');
  sync(a, b);
  const other = `cache-${addonId(2).slice(0, 4)}`;
  for (const peer of [a, b]) {
    expect([addonAt(peer, 1).name, addonAt(peer, 2).name]).toEqual(['cache', other]);
    expect(resolveAddons(peer.view, null, 'cache').map(({ id }) => id)).toEqual([addonId(1)]);
    expect(resolveAddons(peer.view, null, other).map(({ id }) => id)).toEqual([addonId(2)]);
  }
  expect(refusal(a.decide(createAddon(3, { name: other, as: 'OTHER' }))).message).toContain('already taken');
  // The name becomes free, and only who asks for it gets it.
  a.run({ type: 'addon.rename', app: appId(1), addon: addonId(1), name: 'sessions' });
  sync(a, b);
  expect([addonAt(b, 1).name, addonAt(b, 2).name]).toEqual(['sessions', other]);
  b.run({ type: 'addon.rename', app: appId(2), addon: addonId(2), name: 'cache' });
  sync(a, b);
  expect([addonAt(a, 1).name, addonAt(a, 2).name]).toEqual(['sessions', 'cache']);
  expect(refusal(a.decide(createAddon(3, { name: 'cache', as: 'OTHER' }))).message).toContain(
    'already taken',
  );
});

test('of two renames to one name at once the earlier counts, and both are found at every peer', () => {
  const [a, b] = twoWithApp();
  a.run(createAddon(1));
  a.run(createAddon(2, { as: 'OTHER' }));
  sync(a, b);
  b.wall = a.wall + 10;
  a.run({ type: 'addon.rename', app: appId(1), addon: addonId(1), name: 'cache' });
  b.run({ type: 'addon.rename', app: appId(1), addon: addonId(2), name: 'cache' });
  sync(a, b);
  const names = ['cache', `cache-${addonId(2).slice(0, 4)}`];
  expect([a, b].map((peer) => [1, 2].map((n) => addonAt(peer, n).name))).toEqual([names, names]);
  // Its own name again is no change, and no refusal.
  a.run({ type: 'addon.rename', app: appId(1), addon: addonId(2), name: names[1] ?? '' });
  expect(addonAt(a, 2).name).toBe(names[1]);
});

test('an add-on is an intent until its provider takes it, and then two releases', () => {
  const peer = oneWithApp();
  peer.run(createAddon());
  expect(addonAt(peer)).toMatchObject({ state: 'provisioning', accepted: false });
  expect(descriptions(peer)).toEqual(['Initial release', 'Enable Logplex']);
  peer.run(settleAddon(1, 'provisioned'));
  expect(nextAddonStep(peer.view, addonAt(peer))).toEqual({ do: 'sync', app: appId(1) });
  peer.run(syncAddon(peer));
  expect(descriptions(peer).slice(2)).toEqual([
    'Attach REDIS (@ref:acme-redis-flat-1)',
    '@ref:acme-redis-flat-1 completed provisioning, setting REDIS_URL.',
  ]);
  expect(peer.config('REDIS_URL')).toBe('redis://1');
  const { current, releases } = peer.app();
  const last = current === null ? undefined : releases.get(current);
  expect(last?.user).toBe('acme-redis@addons.heroku.com');
  expect(last === undefined ? [] : planNames(last)).toEqual(['acme-redis:mini']);
  expect(addonDuties(peer.view)).toEqual([]);
});

test('one that its provider refuses leaves no release and no attachment', () => {
  const peer = oneWithApp();
  peer.run(createAddon());
  peer.run(settleAddon(1, 'refused'));
  expect(addonAt(peer)).toMatchObject({ state: 'deprovisioned', refused: true });
  expect(descriptions(peer)).toHaveLength(2);
  expect(addonDuties(peer.view)).toEqual([]);
  // Its attachment's name is free again.
  peer.run(createAddon(2));
});

test('one that is provisioned later waits, attached and without values', () => {
  const peer = oneWithApp();
  peer.run(createAddon());
  peer.run(settleAddon(1, 'provisioning'));
  expect(nextAddonStep(peer.view, addonAt(peer))).toEqual({ do: 'await' });
  expect(descriptions(peer).at(-1)).toBe('Attach REDIS (@ref:acme-redis-flat-1)');
  expect(peer.config('REDIS_URL')).toBe(null);
  peer.run(settleAddon(1, 'provisioned'));
  peer.run(syncAddon(peer));
  expect(descriptions(peer)).toHaveLength(4);
});

test('what was said once is not written twice', () => {
  const peer = oneWithApp();
  provisioned(peer);
  const before = peer.ops.length;
  peer.run(createAddon());
  peer.run(settleAddon(1, 'provisioned'));
  peer.run(settleAddon(1, 'provisioning'));
  peer.run(syncAddon(peer));
  expect(peer.ops.length).toBe(before);
});

test('config vars that are set are replaced only when the user confirms it', () => {
  const peer = oneWithApp();
  peer.run(setConfig({ REDIS_URL: 'mine' }));
  expect(refusal(peer.decide(createAddon())).code).toBe('confirmation_required');
  expect(peer.decide(createAddon(1, { confirm: 'other' })).ok).toBe(false);
  peer.run(createAddon(1, { confirm: 'blog' }));
  peer.run(settleAddon(1, 'provisioned'));
  peer.run(syncAddon(peer));
  expect(peer.config('REDIS_URL')).toBe('redis://1');
});

test('what an add-on has set is not for config:set to change', () => {
  const peer = oneWithApp();
  provisioned(peer);
  expect(refusal(peer.decide(setConfig({ REDIS_URL: 'mine' })))).toMatchObject({
    code: 'invalid_params',
    message: 'Cannot overwrite attachment values REDIS_URL.',
  });
  peer.run(setConfig({ OTHER: '1' }));
});

test('a provider that changes values makes a release in every app that has the add-on', () => {
  const peer = oneWithApp();
  peer.run(createApp(2, 'shop'));
  provisioned(peer);
  peer.run(attach(peer, 1, 2, 'CACHE'));
  expect(peer.config('CACHE_URL', 2)).toBe('redis://1');
  expect(addonDuties(peer.view)).toEqual([]);
  peer.run({
    type: 'addon.config',
    app: appId(1),
    addon: addonId(1),
    config: sealedConfig({ REDIS_URL: 'redis://new', REDIS_TLS_URL: 'rediss://new' }),
  });
  expect(addonDuties(peer.view)).toEqual([{ kind: 'addon', key: addonId(1) }]);
  peer.run(syncAddon(peer, 1, 1));
  peer.run(syncAddon(peer, 1, 2));
  expect([peer.config('REDIS_URL'), peer.config('CACHE_URL', 2), peer.config('CACHE_TLS_URL', 2)]).toEqual([
    'redis://new',
    'redis://new',
    'rediss://new',
  ]);
  expect(descriptions(peer, 2).at(-1)).toBe('Update CACHE by acme-redis');
  expect(addonDuties(peer.view)).toEqual([]);
});

test('a value that the provider takes away is unset', () => {
  const peer = oneWithApp();
  provisioned(peer);
  peer.run({
    type: 'addon.config',
    app: appId(1),
    addon: addonId(1),
    config: sealedConfig({ REDIS_URL: null, REDIS_HOST: 'here' }),
  });
  peer.run(syncAddon(peer));
  expect([peer.config('REDIS_URL'), peer.config('REDIS_HOST')]).toEqual([null, 'here']);
  peer.run(setConfig({ REDIS_URL: 'mine now' }));
});

test('a detached add-on takes its values along, and its last attachment to its owner stays', () => {
  const peer = oneWithApp();
  peer.run(createApp(2, 'shop'));
  provisioned(peer);
  peer.run(attach(peer, 1, 2, 'CACHE'));
  peer.run({ type: 'attachment.remove', app: appId(2), attachment: attachmentId(201) });
  expect(peer.config('CACHE_URL', 2)).toBe(null);
  expect(descriptions(peer, 2).at(-1)).toBe('Detach CACHE (@ref:acme-redis-flat-1)');
  const last = peer.decide({ type: 'attachment.remove', app: appId(1), attachment: attachmentId(1) });
  expect(refusal(last).message).toContain('last attachment');
});

test('an add-on that is attached elsewhere is destroyed by force only, and then detached there', () => {
  const peer = oneWithApp();
  peer.run(createApp(2, 'shop'));
  provisioned(peer);
  peer.run(attach(peer, 1, 2, 'CACHE'));
  const destroy = { type: 'addon.destroy', app: appId(1), addon: addonId(1), reason: null } as const;
  expect(refusal(peer.decide({ ...destroy, force: false })).message).toContain('attached to shop');
  peer.run({ ...destroy, force: true });
  expect(peer.config('REDIS_URL')).toBe(null);
  const detach = nextAddonStep(peer.view, addonAt(peer));
  expect(detach).toMatchObject({ do: 'detach', app: appId(2) });
  peer.run({ type: 'attachment.remove', app: appId(2), attachment: attachmentId(201) });
  expect(nextAddonStep(peer.view, addonAt(peer))).toEqual({ do: 'deprovision' });
  peer.run(settleAddon(1, 'deprovisioned'));
  expect(addonAt(peer).state).toBe('deprovisioned');
  expect(addonDuties(peer.view)).toEqual([]);
});

test('the add-ons of a destroyed app are deprovisioned', () => {
  const peer = oneWithApp();
  provisioned(peer);
  peer.run({ type: 'app.destroy', app: appId(1) });
  expect(nextAddonStep(peer.view, addonAt(peer))).toEqual({ do: 'deprovision' });
  peer.run(settleAddon(1, 'deprovisioned'));
  expect(addonDuties(peer.view)).toEqual([]);
});

test('one that another peer provisioned while it was destroyed is deprovisioned again', () => {
  const [a, b] = twoWithApp();
  a.run(createAddon());
  sync(a, b);
  b.run(settleAddon(1, 'provisioned'));
  a.run({ type: 'addon.destroy', app: appId(1), addon: addonId(1), force: false, reason: null });
  a.run(settleAddon(1, 'deprovisioned'));
  expect(addonAt(a).state).toBe('deprovisioned');
  sync(a, b);
  for (const peer of [a, b]) expect(addonAt(peer).state).toBe('deprovisioning');
  expect(nextAddonStep(a.view, addonAt(a))).toMatchObject({ do: 'detach', app: appId(1) });
  a.run({ type: 'attachment.remove', app: appId(1), attachment: attachmentId(1) });
  a.run(settleAddon(1, 'deprovisioned'));
  expect(addonDuties(a.view)).toEqual([]);
});

test('who is about to ask says so first, and what may have come of it is deprovisioned', () => {
  const [a, b] = twoWithApp();
  a.run(createAddon());
  sync(a, b);
  // This one is cut off, asks, and never hears the answer.
  b.run(settleAddon(1, 'asking'));
  a.run({ type: 'addon.destroy', app: appId(1), addon: addonId(1), force: false, reason: null });
  a.run(settleAddon(1, 'deprovisioned'));
  sync(a, b);
  expect(nextAddonStep(a.view, addonAt(a))).toEqual({ do: 'deprovision' });
  a.run(settleAddon(1, 'deprovisioned'));
  expect(addonDuties(a.view)).toEqual([]);
  // Nobody asks for it any more; and what was made all the same, of that it is known.
  expect(a.run(settleAddon(1, 'asking'))).toEqual([]);
  a.run(settleAddon(1, 'provisioned'));
  expect(nextAddonStep(a.view, addonAt(a))).toEqual({ do: 'deprovision' });
});

test('a rollback keeps what add-ons have set now', () => {
  const peer = oneWithApp();
  provisioned(peer);
  peer.run(deploy('one'));
  const target = peer.app().current;
  if (target === null) throw new Error('no release');
  peer.run({
    type: 'addon.config',
    app: appId(1),
    addon: addonId(1),
    config: sealedConfig({ REDIS_URL: 'redis://new' }),
  });
  peer.run(syncAddon(peer));
  peer.run(setConfig({ MINE: '2' }));
  peer.run({ type: 'release.rollback', app: appId(1), to: target });
  expect(peer.config('REDIS_URL')).toBe('redis://new');
  expect(peer.config('MINE')).toBe(null);
});

test('a release with other add-ons is nothing to roll back to', () => {
  const peer = oneWithApp();
  peer.run(deploy('one'));
  const target = peer.app().current;
  if (target === null) throw new Error('no release');
  provisioned(peer);
  const release = peer.app().releases.get(target);
  expect(release && hasSameAttachments(peer.app(), release)).toBe(false);
  expect(refusal(peer.decide({ type: 'release.rollback', app: appId(1), to: target })).message).toContain(
    'other add-ons',
  );
});

test('a plan is changed when the provider says so, and stays when it refuses', () => {
  const peer = oneWithApp();
  provisioned(peer);
  const wish = (plan: string) => ({ type: 'addon.plan', app: appId(1), addon: addonId(1), plan }) as const;
  const answer = (done: boolean) =>
    ({
      type: 'addon.answer',
      app: appId(1),
      addon: addonId(1),
      change: addonAt(peer).change?.id ?? ('' as never),
      done,
      message: 'said so',
      config: {},
    }) as const;
  peer.run(wish('big'));
  expect(addonAt(peer)).toMatchObject({ plan: 'mini', change: { plan: 'big' } });
  peer.run(answer(false));
  expect(addonAt(peer)).toMatchObject({ plan: 'mini', change: null });
  peer.run(wish('big'));
  peer.run(answer(true));
  expect(addonAt(peer)).toMatchObject({ plan: 'big', change: null });
});

test('both sides of a split may attach, and have both after it', () => {
  const [a, b] = twoWithApp();
  provisioned(a, 1);
  sync(a, b);
  a.run(createAddon(2, { as: 'LEFT' }));
  a.run(settleAddon(2, 'provisioned'));
  a.run(syncAddon(a, 2));
  b.run(createAddon(3, { as: 'RIGHT' }));
  b.run(settleAddon(3, 'provisioned'));
  b.run(syncAddon(b, 3));
  sync(a, b);
  a.run({ type: 'release.merge', app: appId(1) });
  sync(a, b);
  for (const peer of [a, b]) {
    expect([...peer.app().attachments.values()].map(({ name }) => name).sort()).toEqual([
      'LEFT',
      'REDIS',
      'RIGHT',
    ]);
    expect([peer.config('LEFT_URL'), peer.config('RIGHT_URL')]).toEqual(['redis://2', 'redis://3']);
    expect(addonDuties(peer.view)).toEqual([]);
  }
});

test('a provider with add-ons is not removed', () => {
  const peer = oneWithApp();
  peer.run({ type: 'provider.set', provider: 'acme-redis', manifest: null, settings: {} });
  provisioned(peer);
  expect(refusal(peer.decide({ type: 'provider.remove', provider: 'acme-redis' })).message).toContain(
    'acme-redis-flat-1',
  );
  peer.run({ type: 'addon.destroy', app: appId(1), addon: addonId(1), force: false, reason: null });
  peer.run(settleAddon(1, 'deprovisioned'));
  peer.run({ type: 'provider.remove', provider: 'acme-redis' });
  expect(peer.view.providers.size).toBe(0);
});
