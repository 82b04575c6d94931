import type { PeerId } from '../ids.ts';
import { aboutSelf, rumoursFor, sendPing } from './gossip.ts';
import { adjustHealth } from './self-doubt.ts';
import type { Draft, Probe } from './state.ts';
import { change, clusterSize, companions, draw } from './state.ts';
import { accuse } from './suspicion.ts';
import { HELPERS, INDIRECT_MS, RELAY_MS, directTimeoutMs, nextRttMs, periodMs } from './timing.ts';

// Bounds for bad days; more probes wait for their turn, more relays are answered "nothing heard" at once.
const PROBES_MAX = 128;
const RELAYS_MAX = 128;

/**
 * One more peer per period: the one that was neither heard nor asked for the longest time. Whatever one end of
 * an exchange hears spares the other its own probe of it, and each is probed within n periods.
 */
export function probeNext(draft: Draft): void {
  if (draft.left || draft.nextProbeAt === null || draft.now < draft.nextProbeAt) return;
  draft.nextProbeAt = draft.now + periodMs(clusterSize(draft)) * (1 + draft.health);
  for (const next of draw(draft, stalest(draft), 1)) startProbe(draft, next);
}

/** Pings a peer now, unless that is under way; one without a connection is asked for through others at once. */
export function startProbe(draft: Draft, target: PeerId): void {
  const member = draft.members.get(target);
  const isProbed = draft.probes.some((probe) => probe.target === target);
  if (member === undefined || draft.left || isProbed || draft.probes.length >= PROBES_MAX) return;
  const timeoutMs = member.connected ? directTimeoutMs(member.rttMs, draft.health) : 0;
  const n = member.connected ? sendPing(draft, target) : nextNumber(draft);
  const probe: Probe = {
    n,
    target,
    sentAt: draft.now,
    directUntil: draft.now + timeoutMs,
    indirectUntil: null,
    helpers: 0,
    nacks: 0,
  };
  draft.probes = [...draft.probes, probe];
  change(draft, target, { askedAt: draft.now });
}

/** Probes whose time is over ask helpers, or fail; relays whose time is over are answered with a nack. */
export function expireProbes(draft: Draft): void {
  for (const probe of draft.probes) {
    if (draft.now < probeDeadline(probe)) continue;
    if (probe.indirectUntil === null) askHelpers(draft, probe);
    else fail(draft, probe);
  }
  for (const relay of draft.relays) {
    if (draft.now < relay.until) continue;
    drop(draft, relay.n);
    answer(draft, relay.origin, relay.originN, relay.target, null);
  }
}

export function probeDeadline(probe: Probe): number {
  return probe.indirectUntil ?? probe.directUntil;
}

/** A ping was answered: ours, or one that we sent for another peer. */
export function onAck(draft: Draft, from: PeerId, n: number, incarnation: number): void {
  const probe = draft.probes.find((one) => one.n === n && one.target === from);
  if (probe !== undefined) {
    const rttMs = nextRttMs(draft.members.get(from)?.rttMs ?? null, draft.now - probe.sentAt);
    change(draft, from, { rttMs });
    succeed(draft, probe);
    return;
  }
  const relay = draft.relays.find((one) => one.n === n && one.target === from);
  if (relay === undefined) return;
  drop(draft, n);
  answer(draft, relay.origin, relay.originN, relay.target, incarnation);
}

/** Somebody cannot reach `target`: we try for it. */
export function onPingReq(draft: Draft, origin: PeerId, n: number, target: PeerId): void {
  const canTry = draft.members.get(target)?.connected === true && draft.relays.length < RELAYS_MAX;
  if (!canTry) return answer(draft, origin, n, target, null);
  const relay = { n: sendPing(draft, target), origin, originN: n, target, until: draft.now + RELAY_MS };
  draft.relays = [...draft.relays, relay];
}

/** What a helper heard. When all have said "nothing", there is nothing left to wait for. */
export function onIndirect(draft: Draft, n: number, target: PeerId, ok: boolean): void {
  const probe = draft.probes.find((one) => one.n === n && one.target === target);
  if (probe === undefined) return;
  if (ok) return succeed(draft, probe);
  const nacked = { ...probe, nacks: probe.nacks + 1 };
  draft.probes = draft.probes.map((one) => (one === probe ? nacked : one));
  if (nacked.nacks >= nacked.helpers) fail(draft, nacked);
}

function askHelpers(draft: Draft, probe: Probe): void {
  const { n, target } = probe;
  const helpers = draw(draft, companions(draft, target), HELPERS);
  const asked: Probe = {
    ...probe,
    indirectUntil: draft.now + INDIRECT_MS * (1 + draft.health),
    helpers: helpers.length,
  };
  draft.probes = draft.probes.map((one) => (one === probe ? asked : one));
  if (helpers.length === 0) return fail(draft, asked);
  for (const helper of helpers) {
    const rumours = [aboutSelf(draft), ...rumoursFor(draft, helper)];
    draft.effects.push({ tag: 'send', to: helper, message: { t: 'pingReq', n, target, rumours } });
  }
}

function succeed(draft: Draft, probe: Probe): void {
  draft.probes = draft.probes.filter((one) => one !== probe);
  adjustHealth(draft, -1);
}

function fail(draft: Draft, probe: Probe): void {
  draft.probes = draft.probes.filter((one) => one.n !== probe.n);
  const member = draft.members.get(probe.target);
  if (member === undefined) return;
  // Helpers that answered show that our own link is well; those that did not make us doubt it.
  if (member.connected && member.status === 'alive') {
    adjustHealth(draft, probe.helpers === 0 ? 1 : probe.helpers - probe.nacks);
  }
  accuse(draft, member);
}

function answer(
  draft: Draft,
  to: PeerId,
  n: number,
  target: PeerId,
  /** Null: nothing was heard. */ incarnation: number | null,
): void {
  const ok = incarnation !== null;
  const message = { t: 'indirect', n, target, ok, incarnation: incarnation ?? 0 } as const;
  draft.effects.push({ tag: 'send', to, message });
}

function drop(draft: Draft, n: number): void {
  draft.relays = draft.relays.filter((relay) => relay.n !== n);
}

/** Of everybody that is connected, dead or not, and everybody that should be. */
function stalest(draft: Draft): readonly PeerId[] {
  let since = Infinity;
  let peers: PeerId[] = [];
  for (const { peer, connected, status, heardAt, askedAt } of draft.members.values()) {
    if (!connected && status !== 'alive' && status !== 'suspect') continue;
    const at = Math.max(heardAt, askedAt);
    if (at < since) peers = [];
    since = Math.min(since, at);
    if (at === since) peers.push(peer);
  }
  return peers.sort();
}

function nextNumber(draft: Draft): number {
  draft.sequence += 1;
  return draft.sequence;
}
