import type { PeerId } from '../../src/ids.ts';
import { assertNever, type Step } from '../../src/step.ts';

/** Back-off between tries: doubles from 0.5 s to 15 s, for ever; libp2p's own gives up after 31 s. */
export const RETRY_MS_MIN = 500;
export const RETRY_MS_MAX = 15_000;
/** The peer with the higher id waits this much longer before it dials, so that two seldom dial each other at once. */
const YIELD_MS = 1_000;
/** Dials at one time: fewer when first tries run out of time, for then they only make one another late. */
const DIALS_MAX = 8;
const DIALS_AT_START = 4;
const ADDRS_MAX = 16;
/** Spread of a redial that news triggers, so that a returning network is not hit by all at one instant. */
const NEWS_MS = 250;
const LATE_TRIES = 3;
/** In a cold start of many every link is such news: only one in this time counts, or there would be no back-off. */
const NEWS_EVERY_MS = 5_000;
/** How long an address has to become a connection: a busy host that took longer gets twice the time at the next try. */
const PATIENCE_MS_MIN = 4_000;
export const PATIENCE_MS_MAX = 16_000;

type Target = {
  /** From the ledger's members and the peers' facts. */
  readonly addrs: readonly string[];
  /** From identify and mDNS, newest first. */
  readonly learned: readonly string[];
  readonly state: 'down' | 'dialing' | 'up';
  /** Tries in a row that failed. */
  readonly failures: number;
  /** Mono ms; only of meaning while down. */
  readonly dialAt: number;
};

export type DialerState = {
  readonly self: PeerId;
  readonly targets: ReadonlyMap<PeerId, Target>;
  /** How many may be dialled at one time. */
  readonly width: number;
  /** When a peer that came back last made us try all others. */
  readonly newsAt: number;
};

export type DialerEvent =
  | {
      readonly tag: 'members';
      readonly members: readonly { readonly peer: PeerId; readonly addrs: readonly string[] }[];
    }
  | { readonly tag: 'learned'; readonly peer: PeerId; readonly addrs: readonly string[] }
  | { readonly tag: 'up'; readonly peer: PeerId }
  | { readonly tag: 'down'; readonly peer: PeerId }
  /** A dial did not become a link. */
  | { readonly tag: 'failed'; readonly peer: PeerId; readonly isLate?: boolean }
  | { readonly tag: 'tick' };

export type DialerEffect =
  | {
      readonly tag: 'dial';
      readonly peer: PeerId;
      readonly addrs: readonly string[];
      /** For each address. */
      readonly patienceMs: number;
    }
  | { readonly tag: 'cancel'; readonly peer: PeerId };

export function startDialer(self: PeerId): DialerState {
  return { self, targets: new Map(), width: DIALS_AT_START, newsAt: -Infinity };
}

/**
 * Who to dial, and when: every member that is not linked is dialled for ever.
 * @param now mono ms
 * @param random uniform in [0, 1)
 */
export function stepDialer(
  state: DialerState,
  event: DialerEvent,
  now: number,
  random: () => number,
): Step<DialerState, DialerEffect> {
  switch (event.tag) {
    case 'members':
      return setMembers(state, event.members, now, random);
    case 'learned':
      return dialDue(
        change(state, event.peer, (target) => learn(target, event.addrs, now, random)),
        now,
      );
    case 'up':
      return onUp(state, event.peer, now, random);
    case 'down':
      return dialDue(
        change(state, event.peer, (target) => ({
          ...target,
          state: 'down',
          failures: 0,
          dialAt: now + firstDelay(state.self, event.peer, random),
        })),
        now,
      );
    case 'failed':
      return onFailed(state, event.peer, event.isLate === true, now, random);
    case 'tick':
      return dialDue(state, now);
    default:
      return assertNever(event);
  }
}

/** Mono ms at which a `tick` would dial somebody; Infinity where nobody waits. */
export function nextDialAt(state: DialerState): number {
  if (countDialing(state.targets) >= state.width) return Infinity; // the end of one is an event
  let at = Infinity;
  for (const target of state.targets.values()) if (isWaiting(target)) at = Math.min(at, target.dialAt);
  return at;
}

function setMembers(
  state: DialerState,
  members: readonly { readonly peer: PeerId; readonly addrs: readonly string[] }[],
  now: number,
  random: () => number,
): Step<DialerState, DialerEffect> {
  const targets = new Map<PeerId, Target>();
  for (const { peer, addrs } of members) {
    if (peer === state.self) continue;
    const known = state.targets.get(peer);
    if (known === undefined) {
      const dialAt = now + firstDelay(state.self, peer, random);
      targets.set(peer, { addrs, learned: [], state: 'down', failures: 0, dialAt });
    } else {
      const isNews = addrs.some((addr) => !known.addrs.includes(addr) && !known.learned.includes(addr));
      targets.set(peer, { ...known, addrs, ...(isNews ? soon(known, now, random) : {}) });
    }
  }
  const gone = [...state.targets].filter(
    ([peer, target]) => !targets.has(peer) && target.state === 'dialing',
  );
  const next = dialDue({ ...state, targets }, now);
  return {
    state: next.state,
    effects: [...gone.map(([peer]) => ({ tag: 'cancel', peer }) as const), ...next.effects],
  };
}

/** A peer that was lost is back: what kept us apart may be over for the others too, so all are tried again soon. */
function onUp(
  state: DialerState,
  peer: PeerId,
  now: number,
  random: () => number,
): Step<DialerState, DialerEffect> {
  const target = state.targets.get(peer);
  if (target === undefined) return { state, effects: [] };
  const targets = new Map(state.targets);
  const isNews = target.failures > 0 && now - state.newsAt >= NEWS_EVERY_MS;
  if (isNews) {
    for (const [other, lost] of targets) targets.set(other, { ...lost, ...soon(lost, now, random) });
  }
  targets.set(peer, { ...target, state: 'up', failures: 0 });
  const width = Math.min(DIALS_MAX, state.width + 1);
  const next = dialDue({ ...state, targets, width, newsAt: isNews ? now : state.newsAt }, now);
  const cancel = target.state === 'dialing' ? [{ tag: 'cancel', peer } as const] : [];
  return { state: next.state, effects: [...cancel, ...next.effects] };
}

function onFailed(
  state: DialerState,
  peer: PeerId,
  isLate: boolean,
  now: number,
  random: () => number,
): Step<DialerState, DialerEffect> {
  const target = state.targets.get(peer);
  if (target?.state !== 'dialing') return dialDue(state, now);
  // A host that has been silent for long is dead; one that is late at first is as busy as we are.
  const width = isLate && target.failures < LATE_TRIES ? Math.ceil(state.width / 2) : state.width;
  return dialDue(
    change({ ...state, width }, peer, () => retry(target, now, random)),
    now,
  );
}

function learn(target: Target, addrs: readonly string[], now: number, random: () => number): Target {
  const news = addrs.filter((addr) => !target.learned.includes(addr));
  if (news.length === 0) return target;
  const learned = [...new Set([...addrs, ...target.learned])].slice(0, ADDRS_MAX);
  const isNews = news.some((addr) => !target.addrs.includes(addr));
  return { ...target, learned, ...(isNews ? soon(target, now, random) : {}) };
}

function soon(target: Target, now: number, random: () => number): Pick<Target, 'dialAt' | 'failures'> {
  return { dialAt: Math.min(target.dialAt, now + random() * NEWS_MS), failures: target.failures };
}

function firstDelay(self: PeerId, peer: PeerId, random: () => number): number {
  return self < peer ? 0 : YIELD_MS + random() * YIELD_MS;
}

function retry(target: Target, now: number, random: () => number): Target {
  const delay = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** target.failures);
  // Half to full: two peers that lost each other at one instant do not stay in step.
  const dialAt = now + delay * (0.5 + random() / 2);
  return { ...target, state: 'down', failures: Math.min(target.failures + 1, 16), dialAt };
}

function countDialing(targets: ReadonlyMap<PeerId, Target>): number {
  return [...targets.values()].filter(({ state }) => state === 'dialing').length;
}

function isWaiting(target: Target): boolean {
  return target.state === 'down' && (target.addrs.length > 0 || target.learned.length > 0);
}

function dialDue(state: DialerState, now: number): Step<DialerState, DialerEffect> {
  const effects: DialerEffect[] = [];
  const targets = new Map(state.targets);
  let dialing = countDialing(targets);
  const due = [...targets].filter(([, target]) => isWaiting(target) && target.dialAt <= now);
  for (const [peer, target] of due.sort(([, a], [, b]) => a.dialAt - b.dialAt)) {
    if (dialing >= state.width) break;
    dialing += 1;
    targets.set(peer, { ...target, state: 'dialing' });
    const addrs = [...new Set([...target.addrs, ...target.learned])].slice(0, ADDRS_MAX);
    const patienceMs = Math.min(PATIENCE_MS_MAX, PATIENCE_MS_MIN * 2 ** target.failures);
    effects.push({ tag: 'dial', peer, addrs, patienceMs });
  }
  return effects.length === 0 ? { state, effects } : { state: { ...state, targets }, effects };
}

function change(state: DialerState, peer: PeerId, edit: (target: Target) => Target): DialerState {
  const target = state.targets.get(peer);
  return target === undefined ? state : { ...state, targets: new Map(state.targets).set(peer, edit(target)) };
}
