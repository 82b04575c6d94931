import type { BuiltInProvider, ProviderSettings } from '../../src/shell/addon-provider.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { AddressHere } from './address-here.ts';
import { drain } from './drain.ts';
import { postgresql } from './postgresql.ts';
import { redis } from './redis.ts';
import { secretMaker } from './secret-maker.ts';

/** The providers that are part of every agent, the same at each. */
export function openBuiltIns(
  host: () => PeerHost,
  settings: ProviderSettings,
  here: AddressHere,
): readonly BuiltInProvider[] {
  const secretFor = secretMaker(host);
  return [postgresql(settings, secretFor, here), redis(settings, secretFor, here), drain()];
}
