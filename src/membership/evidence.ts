import type { PeerId } from '../ids.ts';
import { silenceEvidence, spreadEvidence } from './gossip.ts';
import type { Draft, Member } from './state.ts';
import { change } from './state.ts';
import { bury } from './suspicion.ts';
import { RESTART_MS, portsBackOffMs } from './timing.ts';
import type { Evidence, MembershipEvent } from './types.ts';

// One observer might stand behind a broken firewall; two that both hear "refused" are believed.
const WITNESSES = 2;

/** What we found at a lost peer's ports. Only a refusal says anything: the host is up, and nobody listens. */
export function onPorts(draft: Draft, event: Extract<MembershipEvent, { tag: 'ports' }>): void {
  const member = draft.members.get(event.peer);
  if (member === undefined || member.connected || draft.now < draft.doubtUntil) return;
  if (event.agent === 'open') return forget(draft, member);
  if (event.agent !== 'refused' || event.router === 'timeout') return;
  const found = event.router === 'refused' ? 'gone' : 'agentOnly';
  hearEvidence(draft, { peer: member.peer, by: draft.self, incarnation: member.incarnation, found });
}

/** Evidence counts for the incarnation that it was found in, one finding an observer. */
export function hearEvidence(draft: Draft, evidence: Evidence): void {
  const { peer, by, found, incarnation } = evidence;
  const member = draft.members.get(peer);
  if (member === undefined || by === peer || incarnation !== member.incarnation) return;
  if (by !== draft.self && !draft.members.has(by)) return;
  if (member.findings.get(by) === found) return;
  change(draft, peer, { findings: new Map(member.findings).set(by, found) });
  spreadEvidence(draft, evidence);
  judge(draft, peer);
}

/** Draws the conclusion, unless the peer talks to us: another observer may know of its end a moment before we do. */
export function judge(draft: Draft, peer: PeerId): void {
  const member = draft.members.get(peer);
  if (member === undefined || member.reachable) return;
  const founds = [...member.findings.values()];
  if (founds.filter((found) => found === 'gone').length >= witnessesNeeded(draft, member)) {
    bury(draft, peer, { state: 'down', incarnation: member.incarnation, by: draft.self });
    change(draft, peer, { proven: true });
  } else if (member.restartingUntil === null && founds.includes('agentOnly')) {
    change(draft, peer, { restartingUntil: draft.now + RESTART_MS });
  }
}

/** Tells the shell to look at the ports of lost peers, again and again while it can still matter. */
export function watchPorts(draft: Draft): void {
  for (const member of draft.members.values()) {
    if (!isLost(member)) {
      if (member.portsDueAt !== null) change(draft, member.peer, { portsDueAt: null });
    } else if (member.portsDueAt === null || draft.now >= member.portsDueAt) {
      draft.effects.push({ tag: 'probePorts', peer: member.peer });
      change(draft, member.peer, { portsDueAt: draft.now + portsBackOffMs(draft.now - member.lostAt) });
    }
  }
}

/** As many as there are to look: ourselves and all that we see alive. */
function witnessesNeeded(draft: Draft, about: Member): number {
  let others = 0;
  for (const { peer, verdict } of draft.members.values()) {
    if (peer !== about.peer && verdict === 'alive') others += 1;
  }
  return Math.min(WITNESSES, 1 + others);
}

/** Its agent listens again; it will connect, or be suspected like any other. */
function forget(draft: Draft, member: Member): void {
  if (!member.findings.has(draft.self)) return;
  const findings = new Map(member.findings);
  findings.delete(draft.self);
  change(draft, member.peer, { findings });
  silenceEvidence(draft, member.peer);
}

/** Only a peer that we have known, whose end is not settled, is worth knocking at. */
function isLost(member: Member): boolean {
  const isOpen = member.verdict === 'unreachable' || member.verdict === 'restarting';
  return isOpen && !member.connected && member.incarnation > 0;
}
