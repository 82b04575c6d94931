import { PlatformError } from '../../errors.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { liveAddons } from './attachments.ts';

const PROVIDER_ID_PATTERN = /^[a-z][a-z0-9-]{1,48}[a-z0-9]$/;

export function setProvider(
  { state }: Fold,
  { provider, manifest, settings }: CommandOf<'provider.set'>,
): readonly OpDraft[] {
  if (!PROVIDER_ID_PATTERN.test(provider)) {
    throw new PlatformError('invalid_params', `Cannot register "${provider}": that is no id for a provider`, {
      hint: 'Ids have 3 to 50 lower-case letters, digits and dashes, and begin with a letter',
    });
  }
  const parents = headsOf(state.providers.get(provider));
  return [{ parents, body: { kind: 'provider.set', provider, manifest, settings } }];
}

export function removeProvider(
  { state, view }: Fold,
  { provider }: CommandOf<'provider.remove'>,
): readonly OpDraft[] {
  if (!view.providers.has(provider)) {
    throw new PlatformError('not_found', `Couldn't find the provider "${provider}".`, {
      resource: 'addon_service',
      hint: 'See `kith providers`',
    });
  }
  const left = liveAddons(view).filter(({ service }) => service === provider);
  if (left.length > 0) {
    const names = left.slice(0, 5).map(({ name }) => name);
    throw new PlatformError(
      'conflict',
      `Cannot remove the provider "${provider}": it has ${left.length} add-ons, ${names.join(', ')}${left.length > 5 ? '…' : ''}`,
      { hint: 'Destroy them first: nobody could deprovision them later' },
    );
  }
  return [{ parents: headsOf(state.providers.get(provider)), body: { kind: 'provider.remove', provider } }];
}
