import { createHash } from 'node:crypto';
import type { PeerEffect } from '../../src/peer/effects.ts';
import { canonical } from './invariants.ts';

/** A hash of every effect of every peer, in order: equal for two runs of one seed, or something rolls its own dice. */
export class Trace {
  readonly #hash = createHash('sha256');

  add(peer: string, now: number, effects: readonly PeerEffect[]): void {
    this.#hash.update(`${peer} ${now} ${canonical(effects)}\n`);
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
