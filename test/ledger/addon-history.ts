import type { Command } from '../../src/ledger/command.ts';
import { appId } from './builders.ts';
import type { TestPeer } from './builders.ts';
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

/** What happens around two add-ons of the first app, which others may have attached. */
export const ADDON_HAPPENINGS = [
  'provider',
  'unprovider',
  'addon',
  'ask',
  'accept',
  'provisioned',
  'refuse',
  'rotate',
  'sync-addon',
  'attach',
  'detach',
  'plan',
  'plan-answer',
  'ask-rotation',
  'rotated',
  'rename-addon',
  'unaddon',
  'deprovisioned',
] as const;
export type AddonHappening = (typeof ADDON_HAPPENINGS)[number];

/** @param n of the app that it happens to, and of the add-on; null: there is no such add-on here */
export function addonCommand(what: AddonHappening, n: number, peer: TestPeer): Command | null {
  const of = { app: appId(1), addon: addonId(n) };
  if (peer.view.apps.get(appId(1))?.addons.has(of.addon) !== true) {
    if (what === 'provider')
      return { type: 'provider.set', provider: 'acme-redis', manifest: null, settings: {} };
    if (what === 'unprovider') return { type: 'provider.remove', provider: 'acme-redis' };
    return what === 'addon' ? createAddon(n, { as: n === 1 ? 'REDIS' : 'OTHER', name: 'redis' }) : null;
  }
  const addon = addonAt(peer, n);
  switch (what) {
    case 'provider':
      return { type: 'provider.set', provider: 'acme-redis', manifest: null, settings: {} };
    case 'unprovider':
      return { type: 'provider.remove', provider: 'acme-redis' };
    case 'addon':
      return createAddon(n);
    case 'ask':
      return settleAddon(n, 'asking');
    case 'accept':
      return settleAddon(n, 'provisioning');
    case 'provisioned':
      return settleAddon(n, 'provisioned');
    case 'refuse':
      return settleAddon(n, 'refused');
    case 'rotate':
      return { type: 'addon.config', ...of, config: sealedConfig({ REDIS_URL: peer.id, A: null }) };
    case 'sync-addon':
      return peer.view.apps.has(appId(n)) ? syncAddon(peer, 1, n) : null;
    case 'attach':
      return peer.view.apps.has(appId(n)) ? attach(peer, 1, n, 'CACHE', 'blog') : null;
    case 'detach':
      return { type: 'attachment.remove', app: appId(n), attachment: attachmentId(100 * n + 1) };
    case 'plan':
      return { type: 'addon.plan', ...of, plan: addon.plan === 'mini' ? 'big' : 'mini' };
    case 'plan-answer': {
      const done = peer.wall % 2 === 0;
      const change = addon.change?.id;
      return change === undefined
        ? null
        : { type: 'addon.answer', ...of, change, done, message: peer.id, config: {} };
    }
    case 'ask-rotation':
      return { type: 'addon.rotate', ...of };
    case 'rotated': {
      const { rotation } = addon;
      if (rotation === null) return null;
      const stage = rotation.stage === 'asked' ? 'released' : 'ended';
      const config = stage === 'released' ? sealedConfig({ REDIS_URL: rotation.id }) : {};
      return { type: 'addon.rotated', ...of, rotation: rotation.id, stage, config };
    }
    case 'rename-addon':
      // Now and then the same name for both, and now and then an own one.
      return { type: 'addon.rename', ...of, name: peer.wall % 3 === 0 ? `redis-${n}` : 'redis' };
    case 'unaddon':
      return { type: 'addon.destroy', ...of, force: true, reason: null };
    case 'deprovisioned':
      return settleAddon(n, 'deprovisioned');
    default:
      throw new Error('Nothing of that sort happens');
  }
}

export function isAddon(what: string): what is AddonHappening {
  return ADDON_HAPPENINGS.some((each) => each === what);
}
