import { PlatformError } from '../../src/errors.ts';

type Failures = { count: number; at: number };

const FREE_MAX = 5;
const WAIT_MS = 1_000;
const WAIT_MS_MAX = 60_000;
/** A provider that was told its new password late has a clean sheet after that. */
const KEPT_MS = 15 * 60_000;
const KEYS_MAX = 1_000;

/**
 * Slows those who try passwords: after five wrong ones of a provider from an address, each further one makes that address
 * wait twice as long as the last, up to a minute. Only passwords need it: a token is not to be found by trying.
 */
export class FailedLogins {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;

  /** @param now ms, of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Before the password is looked at, so that nothing is learnt while one waits. @throws PlatformError `rate_limit` */
  mustNotWait(service: string, address: string): void {
    const known = this.#failures.get(keyOf(service, address));
    if (known === undefined || known.count < FREE_MAX) return;
    const waitMs = Math.min(WAIT_MS * 2 ** (known.count - FREE_MAX), WAIT_MS_MAX);
    const leftMs = known.at + waitMs - this.#now();
    if (leftMs <= 0) return;
    throw new PlatformError(
      'rate_limit',
      `Cannot let "${service}" in: its password was wrong ${known.count} times from this address`,
      { hint: `Try again in ${Math.ceil(leftMs / 1_000)} s, with the password of its manifest` },
    );
  }

  note(service: string, address: string): void {
    const now = this.#now();
    const key = keyOf(service, address);
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.at > KEPT_MS ? 1 : before.count + 1;
    // Last in order: what is oldest goes first.
    this.#failures.delete(key);
    this.#failures.set(key, { count, at: now });
    for (const [other, { at }] of this.#failures) {
      if (now - at <= KEPT_MS && this.#failures.size <= KEYS_MAX) return;
      this.#failures.delete(other);
    }
  }
}

function keyOf(service: string, address: string): string {
  return `${service} ${address}`;
}
