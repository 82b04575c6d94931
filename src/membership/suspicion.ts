import type { PeerId } from '../ids.ts';
import { silenceEvidence, spreadRumour } from './gossip.ts';
import type { Draft, Member, MembershipState } from './state.ts';
import { change, clusterSize } from './state.ts';
import { CONFIRMATIONS, suspicionMs } from './timing.ts';

/** A probe round of ours failed. While we doubt ourselves we keep that to ourselves: it proves nothing. */
export function accuse(draft: Draft, member: Member): void {
  if (draft.now < draft.doubtUntil) return;
  change(draft, member.peer, { reachable: false });
  if (member.status === 'alive' || member.status === 'suspect') {
    suspect(draft, member.peer, member.incarnation, draft.self);
  }
}

/** Somebody suspects a peer at this incarnation: a new suspicion, or one more voice for the one we have. */
export function suspect(draft: Draft, peer: PeerId, incarnation: number, by: PeerId): void {
  const member = draft.members.get(peer);
  if (member === undefined || incarnation < member.incarnation) return;
  const isNewer = incarnation > member.incarnation;
  if (!isNewer && (member.status === 'down' || member.status === 'left')) return;
  const suspicion = isNewer ? null : member.suspicion;
  const voices = suspicion?.by ?? [];
  if (voices.includes(by) || voices.length > CONFIRMATIONS) return;
  if (isNewer) beginIncarnation(draft, peer, incarnation);
  change(draft, peer, {
    status: 'suspect',
    suspicion: { since: suspicion?.since ?? draft.now, by: [...voices, by] },
  });
  spreadRumour(draft, { peer, incarnation, state: 'suspect', by });
}

/** A peer is dead or has left, as others say (`by`) or as we conclude. False when that is no news. */
export function bury(
  draft: Draft,
  peer: PeerId,
  end: { readonly state: 'down' | 'left'; readonly incarnation: number; readonly by: PeerId },
): boolean {
  const member = draft.members.get(peer);
  if (member === undefined || end.incarnation < member.incarnation) return false;
  const isNewer = end.incarnation > member.incarnation;
  // At equal incarnation the graver state wins, and a goodbye is graver than a guess.
  if (!isNewer && (member.status === 'left' || member.status === end.state)) return false;
  if (isNewer) beginIncarnation(draft, peer, end.incarnation);
  change(draft, peer, { status: end.state, suspicion: null });
  spreadRumour(draft, { peer, ...end });
  return true;
}

/** A peer lives in a higher incarnation than we knew: whatever was said of the earlier one is void. */
export function revive(draft: Draft, peer: PeerId, incarnation: number): void {
  const member = draft.members.get(peer);
  if (member === undefined || incarnation <= member.incarnation) return;
  beginIncarnation(draft, peer, incarnation);
  spreadRumour(draft, { peer, incarnation, state: 'alive', by: peer });
}

/** Turns suspicions that have run out into `down`. */
export function expireSuspicions(draft: Draft): void {
  for (const member of draft.members.values()) {
    const deadline = suspicionDeadline(draft, member);
    if (deadline === null || draft.now < deadline) continue;
    const since = member.suspicion?.since ?? draft.now;
    // It spoke to us meanwhile and only its refutation is still on the way: we are no witness against it.
    if (member.reachable && member.heardAt > since) {
      change(draft, member.peer, { status: 'alive', suspicion: null });
    } else {
      bury(draft, member.peer, { state: 'down', incarnation: member.incarnation, by: draft.self });
    }
  }
}

/** When this peer counts as down unless it refutes: never while we doubt ourselves, nor while its agent restarts. */
export function suspicionDeadline(
  state: Pick<MembershipState, 'members' | 'doubtUntil'>,
  member: Member,
): number | null {
  if (member.suspicion === null) return null;
  const { since, by } = member.suspicion;
  return Math.max(
    since + suspicionMs(clusterSize(state), by.length - 1),
    state.doubtUntil,
    member.restartingUntil ?? 0,
  );
}

function beginIncarnation(draft: Draft, peer: PeerId, incarnation: number): void {
  change(draft, peer, {
    incarnation,
    status: 'alive',
    isBehind: false,
    proven: false,
    suspicion: null,
    findings: new Map(),
    restartingUntil: null,
  });
  silenceEvidence(draft, peer);
}
