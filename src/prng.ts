/**
 * Randomness for the pure core: a small generator whose state is one number kept in the caller's own state, so that
 * any moment of a cluster can be replayed from its seed. Good enough to shuffle and to jitter; never for secrets.
 */

/** A draw in [0, 1) and the state that makes the next one. @see mulberry32, Tommy Ettinger 2017 */
export function nextRandom(state: number): { readonly value: number; readonly state: number } {
  const next = (state + 0x6d2b79f5) >>> 0;
  let mixed = next;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { value: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, state: next };
}

/** A 32-bit seed from text: equal texts give equal seeds on every peer. FNV-1a over UTF-16 units. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** A fixed number in [0, 1) that belongs to this text: jitter and rendezvous scores that every peer agrees on. */
export function unitOf(text: string): number {
  return nextRandom(seedOf(text)).value;
}

/** A copy of `items` in random order (Fisher-Yates). */
export function shuffled<T>(
  items: readonly T[],
  state: number,
): { readonly items: readonly T[]; readonly state: number } {
  const copy = [...items];
  let random = state;
  for (let at = copy.length - 1; at > 0; at -= 1) {
    const draw = nextRandom(random);
    random = draw.state;
    const other = Math.floor(draw.value * (at + 1));
    const held = copy[at] as T;
    copy[at] = copy[other] as T;
    copy[other] = held;
  }
  return { items: copy, state: random };
}
