import { PlatformError } from '../../src/errors.ts';
import type { TookOneOff } from '../../src/facts.ts';
import type { DynoId } from '../../src/ids.ts';
import type { OneOff, OneOffRequest, PeerStatus } from '../../src/shell/host.ts';

/** Clients send a request again when its connection broke, and not much later. */
const KEPT_MS = 2 * 60_000;
/** All peers are told of them. */
const KEPT_MAX = 20;

/** The one-offs that this peer took lately, over or not, by the ids that their requests gave them. */
export class TookOneOffs {
  readonly #took = new Map<DynoId, { readonly one: TookOneOff; readonly at: number }>();
  readonly #now: () => number;

  /** @param now ms, of a clock that only goes on */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(one: TookOneOff): void {
    this.#took.set(one.dyno, { one, at: this.#now() });
    this.#prune();
  }

  /** It came to nothing, and may be tried again. */
  drop(dyno: DynoId): void {
    this.#took.delete(dyno);
  }

  get(dyno: DynoId): TookOneOff | null {
    this.#prune();
    return this.#took.get(dyno)?.one ?? null;
  }

  list(): readonly TookOneOff[] {
    this.#prune();
    return [...this.#took.values()].map(({ one }) => one);
  }

  #prune(): void {
    const now = this.#now();
    for (const [dyno, { at }] of this.#took) {
      if (now - at <= KEPT_MS && this.#took.size <= KEPT_MAX) return;
      this.#took.delete(dyno);
    }
  }
}

/** The one-off that this very request made before, by way of whichever peer; null: none that is known of. */
export function madeBefore(peers: readonly PeerStatus[], request: OneOffRequest): OneOff | null {
  for (const { peer, facts, verdict } of peers) {
    const known = [...(facts?.oneOffs ?? []), ...(facts?.tookOneOffs ?? [])];
    const found = verdict === 'alive' ? known.find(({ dyno }) => dyno === request.dyno) : undefined;
    if (found !== undefined) return repeated(found, peer, request);
  }
  return null;
}

/** Answers a request that came twice. @throws PlatformError `conflict` where a client was to attach, which is done once */
export function repeated(
  { dyno, name, release }: TookOneOff,
  peer: OneOff['peer'],
  request: OneOffRequest,
): OneOff {
  if (request.attach === null) return { dyno, name, release, peer, attach: null };
  throw new PlatformError('conflict', `Cannot attach: this very request has started "${name}" before`, {
    hint: 'Its terminal waits for the first answer alone, and it is ended in a minute if nobody comes: run the command again',
  });
}
