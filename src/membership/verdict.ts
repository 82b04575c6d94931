import type { Verdict } from '../facts.ts';
import type { Draft, Member } from './state.ts';
import { change } from './state.ts';

/** Announces every verdict that this step has changed. */
export function announceVerdicts(draft: Draft): void {
  for (const member of draft.members.values()) {
    const verdict = judgement(member, draft.now);
    if (verdict === member.verdict) continue;
    change(draft, member.peer, { verdict, verdictAt: draft.now });
    draft.effects.push({ tag: 'verdict', peer: member.peer, verdict });
  }
}

function judgement(member: Member, now: number): Verdict {
  if (member.status === 'left' || (member.status === 'down' && member.proven)) return 'gone';
  if (member.restartingUntil !== null && now < member.restartingUntil) return 'restarting';
  if (member.status === 'down') return 'down';
  return member.reachable ? 'alive' : 'unreachable';
}
