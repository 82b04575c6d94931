import type { PeerId } from '../ids.ts';
import type { Verdict } from '../facts.ts';
import { nextRandom } from '../prng.ts';
import type { Evidence, MembershipEffect, Rumour } from './types.ts';

/** What we know and believe of one other peer. Times are mono ms. */
export type Member = {
  readonly peer: PeerId;
  /** The highest heard of; 0 before the first word. */
  readonly incarnation: number;
  readonly status: Rumour['state'];
  /** It spoke with an incarnation below the one we know: its disk is older than our memory. */
  readonly isBehind: boolean;
  /** `down` with proof: its ports were found refused. */
  readonly proven: boolean;
  readonly connected: boolean;
  /** It spoke to us after its connection was last made and after our last failed probe round. */
  readonly reachable: boolean;
  readonly heardAt: number;
  /** When our last probe of it began. */
  readonly askedAt: number;
  readonly lostAt: number;
  readonly rttMs: number | null;
  readonly suspicion: Suspicion | null;
  /** What observers, ourselves included, found at its ports during this incarnation. */
  readonly findings: ReadonlyMap<PeerId, Evidence['found']>;
  /** Set once per restart: nothing moves until then. */
  readonly restartingUntil: number | null;
  /** When its ports are looked at next; null while it is well, or down for good. */
  readonly portsDueAt: number | null;
  readonly verdict: Verdict;
  readonly verdictAt: number;
};

export type Suspicion = { readonly since: number; readonly by: readonly PeerId[] };

/** A ping that waits for its ack; later also for the helpers that were asked. */
export type Probe = {
  readonly n: number;
  readonly target: PeerId;
  readonly sentAt: number;
  readonly directUntil: number;
  /** Null until the helpers were asked. */
  readonly indirectUntil: number | null;
  readonly helpers: number;
  readonly nacks: number;
};

/** A ping that we sent for another peer. */
export type Relay = {
  readonly n: number;
  readonly origin: PeerId;
  readonly originN: number;
  readonly target: PeerId;
  readonly until: number;
};

/** News with the number of messages that shall still carry it. */
export type Outgoing<T> = { readonly news: T; readonly left: number };

export type MembershipState = {
  readonly self: PeerId;
  readonly incarnation: number;
  /** We said goodbye: nothing is refuted or probed any more. */
  readonly left: boolean;
  readonly random: number;
  readonly sequence: number;
  /** All others. */
  readonly members: ReadonlyMap<PeerId, Member>;
  /** Null before the first event. */
  readonly nextProbeAt: number | null;
  readonly probes: readonly Probe[];
  readonly relays: readonly Relay[];
  readonly rumours: ReadonlyMap<PeerId, Outgoing<Rumour>>;
  /** By observer and peer. */
  readonly evidence: ReadonlyMap<string, Outgoing<Evidence>>;
  readonly nextGossipAt: number;
  /** Lifeguard's local health: 0 is well. */
  readonly health: number;
  /** Until then we trust our own silence-hearing too little to accuse anybody. */
  readonly doubtUntil: number;
  /** When the next tick is wanted. */
  readonly wakeAt: number;
};

/**
 * One step's working copy of the state, with the effects so far: made by `draftOf`, seen only inside a step, so that the
 * rules read as plain statements. Members and messages themselves are never changed, only replaced.
 */
export type Draft = {
  readonly now: number;
  readonly self: PeerId;
  incarnation: number;
  left: boolean;
  random: number;
  sequence: number;
  readonly members: Map<PeerId, Member>;
  nextProbeAt: number | null;
  probes: readonly Probe[];
  relays: readonly Relay[];
  readonly rumours: Map<PeerId, Outgoing<Rumour>>;
  readonly evidence: Map<string, Outgoing<Evidence>>;
  nextGossipAt: number;
  health: number;
  doubtUntil: number;
  readonly effects: MembershipEffect[];
};

export function draftOf(state: MembershipState, now: number): Draft {
  return {
    ...state,
    now,
    members: new Map(state.members),
    rumours: new Map(state.rumours),
    evidence: new Map(state.evidence),
    effects: [],
  };
}

export function stateOf(draft: Draft, wakeAt: number): MembershipState {
  const { now: _now, effects: _effects, ...state } = draft;
  return { ...state, wakeAt };
}

/** A member that was never heard: not reachable, and suspected when nobody can reach it. */
export function newMember(peer: PeerId, now: number): Member {
  return {
    peer,
    incarnation: 0,
    status: 'alive',
    isBehind: false,
    proven: false,
    connected: false,
    reachable: false,
    heardAt: -Infinity,
    askedAt: -Infinity,
    lostAt: -Infinity,
    rttMs: null,
    suspicion: null,
    findings: new Map(),
    restartingUntil: null,
    portsDueAt: null,
    verdict: 'unreachable',
    verdictAt: now,
  };
}

/** Changes what we hold of a member; a peer that is none stays unknown. */
export function change(draft: Draft, peer: PeerId, patch: Partial<Omit<Member, 'peer'>>): void {
  const member = draft.members.get(peer);
  if (member !== undefined) draft.members.set(peer, { ...member, ...patch });
}

/** Up to `count` different random peers of `peers`. */
export function draw(draft: Draft, peers: readonly PeerId[], count: number): readonly PeerId[] {
  const pool = [...peers];
  const drawn: PeerId[] = [];
  while (drawn.length < count && pool.length > 0) {
    const random = nextRandom(draft.random);
    draft.random = random.state;
    drawn.push(...pool.splice(Math.floor(random.value * pool.length), 1));
  }
  return drawn;
}

/** Members with a connection that are not known to be dead: who can be asked, and told. */
export function companions(
  { members }: { readonly members: ReadonlyMap<PeerId, Member> },
  except?: PeerId,
): readonly PeerId[] {
  const peers: PeerId[] = [];
  for (const member of members.values()) {
    const isThere = member.connected && (member.status === 'alive' || member.status === 'suspect');
    if (isThere && member.peer !== except) peers.push(member.peer);
  }
  return peers;
}

/** All members, ourselves included. */
export function clusterSize(state: { readonly members: ReadonlyMap<PeerId, Member> }): number {
  return state.members.size + 1;
}
