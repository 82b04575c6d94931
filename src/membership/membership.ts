import type { Verdict } from '../facts.ts';
import type { PeerId } from '../ids.ts';
import { nextRandom } from '../prng.ts';
import type { Now, Step } from '../step.ts';
import { assertNever } from '../step.ts';
import { onConnected, onDisconnected, onMembers, onWord } from './contact.ts';
import { hearEvidence, onPorts, watchPorts } from './evidence.ts';
import { evidenceFor, gossip, hasNews, rumoursFor, sendPing, UNANSWERED } from './gossip.ts';
import { expireProbes, onAck, onIndirect, onPingReq, probeDeadline, probeNext } from './probe.ts';
import { hearRumour, outdo } from './rumours.ts';
import { latenessMs, onLag } from './self-doubt.ts';
import type { Draft, MembershipState } from './state.ts';
import { clusterSize, companions, draftOf, stateOf } from './state.ts';
import { expireSuspicions, suspicionDeadline } from './suspicion.ts';
import { periodMs, STALL_MS } from './timing.ts';
import type { MembershipEffect, MembershipEvent, Rumour, SwimMessage } from './types.ts';
import { announceVerdicts } from './verdict.ts';

export type { MembershipState } from './state.ts';

/** Nobody is known yet: the first `members` event says who there is. `incarnation` must be above all earlier ones. */
export function createMembership(start: {
  readonly self: PeerId;
  readonly incarnation: number;
  readonly seed: number;
}): MembershipState {
  return {
    self: start.self,
    incarnation: start.incarnation,
    left: false,
    random: start.seed >>> 0,
    sequence: 0,
    members: new Map(),
    nextProbeAt: null,
    probes: [],
    relays: [],
    rumours: new Map(),
    evidence: new Map(),
    nextGossipAt: 0,
    health: 0,
    doubtUntil: 0,
    wakeAt: 0,
  };
}

/**
 * Who is alive: SWIM with Lifeguard's lessons. Each period one peer is pinged, through others when it does not
 * answer; silence makes it suspect, suspicion runs out into `down`, and a peer that hears of its own death raises its
 * incarnation and lives. The cost per peer does not grow with the cluster.
 *
 * Any event also does what is due by the clock; `tick` does only that, and is wanted at `nextMembershipWake`.
 * @see Das, Gupta, Motivala 2002, SWIM; Dadgar, Phillips, Currey 2018, Lifeguard
 */
export function stepMembership(
  state: MembershipState,
  event: MembershipEvent,
  now: Now,
): Step<MembershipState, MembershipEffect> {
  const draft = draftOf(state, now.mono);
  const lateMs = latenessMs(state, nextMembershipWake(state), now.mono);
  if (lateMs >= STALL_MS) onLag(draft, lateMs);
  start(draft);
  apply(draft, event);
  expireProbes(draft);
  expireSuspicions(draft);
  probeNext(draft);
  gossip(draft);
  announceVerdicts(draft);
  watchPorts(draft);
  return { state: stateOf(draft, wakeOf(draft)), effects: draft.effects };
}

/** How a peer looks from here; ourselves always alive, strangers gone. */
export function verdictOf(state: MembershipState, peer: PeerId): Verdict {
  return peer === state.self ? 'alive' : (state.members.get(peer)?.verdict ?? 'gone');
}

/** Mono ms of the last change of a peer's verdict; 0 for ourselves and strangers. */
export function verdictAt(state: MembershipState, peer: PeerId): number {
  return state.members.get(peer)?.verdictAt ?? 0;
}

/** When the next tick is wanted, mono ms: something is due at or before it, and nothing earlier. */
export function nextMembershipWake(state: MembershipState): number {
  return state.wakeAt;
}

function wakeOf(state: Draft): number {
  let wake = state.left ? Infinity : (state.nextProbeAt ?? 0);
  for (const probe of state.probes) wake = Math.min(wake, probeDeadline(probe));
  for (const relay of state.relays) wake = Math.min(wake, relay.until);
  // News that nobody is there to hear waits for a connection, not for a time.
  if (hasNews(state) && companions(state).length > 0) wake = Math.min(wake, state.nextGossipAt);
  for (const member of state.members.values()) {
    wake = Math.min(wake, suspicionDeadline(state, member) ?? Infinity, member.portsDueAt ?? Infinity);
    if (member.verdict === 'restarting') wake = Math.min(wake, member.restartingUntil ?? Infinity);
  }
  return wake;
}

/** The first probe comes after a random part of a period, so that peers started together do not probe together. */
function start(draft: Draft): void {
  if (draft.nextProbeAt !== null) return;
  const random = nextRandom(draft.random);
  draft.random = random.state;
  draft.nextProbeAt = draft.now + random.value * periodMs(clusterSize(draft));
}

function apply(draft: Draft, event: MembershipEvent): void {
  switch (event.tag) {
    case 'tick':
      return;
    case 'message':
      return onMessage(draft, event.from, event.message);
    case 'connected':
      return onConnected(draft, event.peer);
    case 'disconnected':
      return onDisconnected(draft, event.peer);
    case 'ports':
      return onPorts(draft, event);
    case 'members':
      return onMembers(draft, event.peers);
    case 'forgotten':
      return outdo(draft, event.incarnation);
    case 'lag':
      return onLag(draft, event.ms);
    case 'leave':
      return leave(draft);
    default:
      return assertNever(event);
  }
}

/** News first, so that what we answer takes it into account: an ack bears the incarnation that refutes the ping's rumour. */
function onMessage(draft: Draft, from: PeerId, message: SwimMessage): void {
  if (!draft.members.has(from)) return;
  if (message.t !== 'indirect') for (const rumour of message.rumours) hearRumour(draft, rumour);
  if ('evidence' in message) for (const evidence of message.evidence) hearEvidence(draft, evidence);
  switch (message.t) {
    case 'ping':
      onWord(draft, from, incarnationOf(from, message.rumours));
      return message.n === UNANSWERED ? undefined : sendAck(draft, from, message.n);
    case 'ack':
      onWord(draft, from, message.incarnation);
      return onAck(draft, from, message.n, message.incarnation);
    case 'pingReq':
      onWord(draft, from, incarnationOf(from, message.rumours));
      return onPingReq(draft, from, message.n, message.target);
    case 'indirect':
      onWord(draft, from, null);
      if (message.ok) {
        hearRumour(draft, {
          peer: message.target,
          incarnation: message.incarnation,
          state: 'alive',
          by: from,
        });
      }
      return onIndirect(draft, message.n, message.target, message.ok);
    default:
      return assertNever(message);
  }
}

/** What the speaker says of itself; other incarnations in its rumours are hearsay. */
function incarnationOf(speaker: PeerId, rumours: readonly Rumour[]): number | null {
  const own = rumours.find((rumour) => rumour.peer === speaker && rumour.by === speaker);
  return own?.state === 'alive' ? own.incarnation : null;
}

function sendAck(draft: Draft, to: PeerId, n: number): void {
  const { incarnation } = draft;
  const rumours = rumoursFor(draft, to);
  draft.effects.push({
    tag: 'send',
    to,
    message: { t: 'ack', n, incarnation, rumours, evidence: evidenceFor(draft, to) },
  });
}

/** Goodbye to everybody that can hear it: the ping leads with "left" from now on. */
function leave(draft: Draft): void {
  if (draft.left) return;
  draft.left = true;
  draft.probes = [];
  for (const member of draft.members.values()) if (member.connected) sendPing(draft, member.peer);
}
