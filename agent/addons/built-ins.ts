import type { Logger } from 'pino';
import type { BuiltInProvider, ProviderSettings } from '../../src/shell/addon-provider.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { drain } from './drain.ts';
import { postgresql } from './postgresql.ts';
import { redis } from './redis.ts';
import { secretMaker } from './secret-maker.ts';

/** What built-in providers are made from. */
export type BuiltInParts = {
  readonly host: () => PeerHost;
  readonly settings: ProviderSettings;
  readonly closing: AbortSignal;
  readonly log: Logger;
};

/** The providers that are part of every agent, the same at each. */
export function openBuiltIns({ host, settings }: BuiltInParts): readonly BuiltInProvider[] {
  const secretFor = secretMaker(host);
  return [postgresql(settings, secretFor), redis(settings, secretFor), drain()];
}
