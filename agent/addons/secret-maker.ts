import { createHash } from 'node:crypto';
import type { AddonId } from '../../src/ids.ts';
import type { PeerHost } from '../../src/shell/host.ts';

/** A password for an add-on: the same for the same words at whichever peer, so that a second try agrees with a first. */
export type SecretMaker = (addon: AddonId, generation: string) => string;

/** Of the credentials that an add-on begins with. */
export const FIRST_GENERATION = 'first';

/** Nobody without the cluster's data key can make one: a sealed value is a function of that key and of what is sealed. */
export function secretMaker(host: () => Pick<PeerHost, 'seal'>): SecretMaker {
  return (addon, generation) =>
    createHash('sha256')
      .update(host().seal('cluster', 'add-on password', `${addon}/${generation}`))
      .digest('base64url');
}
