import type { PeerId } from '../ids.ts';
import type { Draft, MembershipState, Outgoing } from './state.ts';
import { clusterSize, companions, draw } from './state.ts';
import { GOSSIP_FANOUT, GOSSIP_MS, RUMOURS_PER_MESSAGE_MAX, retransmits } from './timing.ts';
import type { Evidence, Rumour } from './types.ts';

/** Tells others: the newest rumour about a peer replaces the last. At most one per member is kept. */
export function spreadRumour(draft: Draft, rumour: Rumour): void {
  draft.rumours.set(rumour.peer, { news: rumour, left: retransmits(clusterSize(draft)) });
}

export function spreadEvidence(draft: Draft, evidence: Evidence): void {
  draft.evidence.set(`${evidence.by} ${evidence.peer}`, {
    news: evidence,
    left: retransmits(clusterSize(draft)),
  });
  // What we saw ourselves may be the second voice that the others wait for.
  if (evidence.by === draft.self) draft.nextGossipAt = draft.now;
}

/** Forgets what we were about to say of, or from, a peer. */
export function silence(draft: Draft, peer: PeerId): void {
  draft.rumours.delete(peer);
  silenceEvidence(draft, peer);
  for (const [key, { news }] of draft.evidence) if (news.by === peer) draft.evidence.delete(key);
}

export function silenceEvidence(draft: Draft, peer: PeerId): void {
  for (const [key, { news }] of draft.evidence) if (news.peer === peer) draft.evidence.delete(key);
}

/** The number of a ping that only brings news: nobody waits for its ack. */
export const UNANSWERED = 0;

/** Sends a ping that carries our news; returns the number that its ack will bear. */
export function sendPing(draft: Draft, to: PeerId): number {
  draft.sequence += 1;
  tell(draft, to, draft.sequence);
  return draft.sequence;
}

function tell(draft: Draft, to: PeerId, n: number): void {
  draft.effects.push({
    tag: 'send',
    to,
    message: {
      t: 'ping',
      n,
      rumours: [aboutSelf(draft), ...rumoursFor(draft, to)],
      evidence: evidenceFor(draft, to),
    },
  });
}

/** Rumours for one message: what the receiver must refute, then the news that was sent least. */
export function rumoursFor(draft: Draft, to: PeerId): readonly Rumour[] {
  const receiver = draft.members.get(to);
  // Lifeguard's buddy: whoever is suspected hears it from every peer that still talks to it. Likewise a peer that came
  // back with an old disk hears which incarnation the others know.
  const mustHear = receiver !== undefined && (receiver.status !== 'alive' || receiver.isBehind);
  const own: readonly Rumour[] = mustHear
    ? [{ peer: to, incarnation: receiver.incarnation, state: receiver.status, by: draft.self }]
    : [];
  const isNews = (peer: PeerId) => peer !== to && peer !== draft.self;
  return [...own, ...take(draft.rumours, RUMOURS_PER_MESSAGE_MAX - 1, isNews)];
}

export function evidenceFor(draft: Draft, to: PeerId): readonly Evidence[] {
  return take(draft.evidence, RUMOURS_PER_MESSAGE_MAX, (_key, { peer, by }) => peer !== to && by !== to);
}

/** While there is news, a few random peers get it at once and every 100 ms; without news this costs nothing. */
export function gossip(draft: Draft): void {
  if (!hasNews(draft) || draft.now < draft.nextGossipAt) return;
  draft.nextGossipAt = draft.now + GOSSIP_MS * (1 + draft.health);
  for (const peer of draw(draft, companions(draft), GOSSIP_FANOUT)) tell(draft, peer, UNANSWERED);
  if (draft.rumours.has(draft.self)) countOwn(draft);
}

export function hasNews(state: Pick<MembershipState, 'rumours' | 'evidence'>): boolean {
  return state.rumours.size > 0 || state.evidence.size > 0;
}

/** Our own rumour leads every ping anyway; queued, it only keeps the gossip going for a while. */
function countOwn(draft: Draft): void {
  take(draft.rumours, 1, (peer) => peer === draft.self);
}

/** Who speaks, and in which incarnation: leads every ping. */
export function aboutSelf(draft: Draft): Rumour {
  const { self, incarnation, left } = draft;
  return { peer: self, incarnation, state: left ? 'left' : 'alive', by: self };
}

/** Takes up to `count` pieces of news that were sent least, and drops those that have now been sent often enough. */
function take<K, T>(
  queue: Map<K, Outgoing<T>>,
  count: number,
  isFor: (key: K, news: T) => boolean,
): readonly T[] {
  const entries = [...queue].filter(([key, { news }]) => isFor(key, news));
  const picked = entries.sort(([, a], [, b]) => b.left - a.left).slice(0, Math.max(0, count));
  for (const [key, { news, left }] of picked) {
    if (left <= 1) queue.delete(key);
    else queue.set(key, { news, left: left - 1 });
  }
  return picked.map(([, { news }]) => news);
}
