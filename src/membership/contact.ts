import type { PeerId } from '../ids.ts';
import { judge } from './evidence.ts';
import { silence, silenceEvidence } from './gossip.ts';
import { startProbe } from './probe.ts';
import type { Draft } from './state.ts';
import { change, newMember } from './state.ts';
import { revive } from './suspicion.ts';

// A frame may still be under way when its connection is gone: for so long a word does not mean that it is back.
const LATE_FRAME_MS = 1_000;

/** A connection was made. It is not life; the answer to our ping is. */
export function onConnected(draft: Draft, peer: PeerId): void {
  change(draft, peer, { connected: true });
  draft.probes = draft.probes.filter((probe) => probe.target !== peer);
  startProbe(draft, peer);
}

/** The last connection is lost: unreachable at once, and the others are asked what they hear. */
export function onDisconnected(draft: Draft, peer: PeerId): void {
  const member = draft.members.get(peer);
  if (member === undefined || (!member.connected && !member.reachable)) return;
  change(draft, peer, { connected: false, reachable: false, lostAt: draft.now });
  draft.probes = draft.probes.filter((probe) => probe.target !== peer);
  judge(draft, peer);
  const { status } = member;
  if (status === 'alive' || status === 'suspect') startProbe(draft, peer);
}

/** A member spoke to us directly: it lives, in this incarnation if it said so. */
export function onWord(draft: Draft, peer: PeerId, incarnation: number | null): void {
  const member = draft.members.get(peer);
  if (member === undefined) return;
  if (incarnation !== null) {
    revive(draft, peer, incarnation);
    const isBehind = incarnation < (draft.members.get(peer)?.incarnation ?? 0);
    if (isBehind !== member.isBehind) change(draft, peer, { isBehind });
  }
  if (!member.connected && draft.now - member.lostAt < LATE_FRAME_MS) return;
  change(draft, peer, { connected: true, reachable: true, heardAt: draft.now, restartingUntil: null });
  if (member.findings.size > 0) {
    change(draft, peer, { findings: new Map() });
    silenceEvidence(draft, peer);
  }
}

/** The ledger's member list: the new are unreachable until they speak, the removed are forgotten. */
export function onMembers(draft: Draft, peers: readonly PeerId[]): void {
  const listed = new Set(peers);
  for (const peer of draft.members.keys()) {
    if (!listed.has(peer)) forget(draft, peer);
  }
  for (const peer of listed) {
    if (peer === draft.self || draft.members.has(peer)) continue;
    draft.members.set(peer, newMember(peer, draft.now));
    draft.effects.push({ tag: 'verdict', peer, verdict: 'unreachable' });
  }
}

function forget(draft: Draft, peer: PeerId): void {
  draft.members.delete(peer);
  draft.probes = draft.probes.filter((probe) => probe.target !== peer);
  draft.relays = draft.relays.filter((relay) => relay.target !== peer && relay.origin !== peer);
  silence(draft, peer);
}
