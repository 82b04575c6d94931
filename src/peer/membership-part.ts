import type { PeerId } from '../ids.ts';
import { stepMembership, verdictOf } from '../membership/membership.ts';
import type { MembershipEvent } from '../membership/types.ts';
import { sendVector } from './ledger-part.ts';
import type { Work } from './work.ts';

/** Passes an event on to the failure detector and turns what it wants into the peer's own effects. */
export function detect(work: Work, event: MembershipEvent): void {
  const { state, now } = work;
  const next = stepMembership(state.membership, event, now);
  state.membership = next.state;
  for (const effect of next.effects) {
    switch (effect.tag) {
      case 'send':
        work.effects.push({ tag: 'send', to: effect.to, message: { t: 'swim', message: effect.message } });
        break;
      case 'probePorts': {
        const facts = state.facts.get(effect.peer);
        const agent =
          facts === undefined
            ? meshHostPort(state.addresses.get(effect.peer))
            : meshHostPort(facts.addrs.mesh);
        if (agent === null) break;
        const router = facts?.addrs.http ?? agent;
        work.effects.push({ tag: 'probePorts', target: { peer: effect.peer, agent, router } });
        break;
      }
      case 'verdict':
        state.verdictChanges += 1;
        work.replan = true;
        break;
      case 'incarnation':
        work.effects.push({ tag: 'persist', ops: [], records: { incarnation: effect.incarnation } });
        state.own = { ...state.own, incarnation: effect.incarnation };
        state.ownFrom = [];
        break;
    }
  }
}

/** `/ip4/10.0.0.2/tcp/7000` as `10.0.0.2:7000`. */
function meshHostPort(addrs: readonly string[] | undefined): string | null {
  const match = /^\/(?:ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d+)/.exec(addrs?.[0] ?? '');
  return match === null ? null : `${match[1]}:${match[2]}`;
}

export function onConnected(work: Work, peer: PeerId): void {
  work.state.connected = new Set(work.state.connected).add(peer);
  detect(work, { tag: 'connected', peer });
  sendVector(work, peer, false);
}

export function onDisconnected(work: Work, peer: PeerId): void {
  const connected = new Set(work.state.connected);
  connected.delete(peer);
  work.state.connected = connected;
  detect(work, { tag: 'disconnected', peer });
}

/** After the ledger changed: who belongs to the cluster now, and who does not any more. */
export function followMembers(work: Work): void {
  const { state } = work;
  const members = state.fold.view.members;
  if (members === state.membersTold) return;
  state.membersTold = members;
  const current = [...members.values()]
    .filter((member) => member.state === 'member')
    .map((member) => member.peer);
  detect(work, { tag: 'members', peers: current });
  for (const member of members.values()) {
    if (member.state === 'member' || member.peer === state.self) continue;
    if (state.facts.has(member.peer)) {
      const facts = new Map(state.facts);
      facts.delete(member.peer);
      state.facts = facts;
    }
  }
  pushMembers(work);
}

/** Tells the mesh whom to keep connections with. */
export function pushMembers(work: Work): void {
  const { state } = work;
  const members = [...state.fold.view.members.values()]
    .filter((member) => member.state === 'member' && member.peer !== state.self)
    .map(({ peer }) => ({ peer, addrs: state.addresses.get(peer) ?? [] }));
  work.effects.push({ tag: 'members', members });
}

export function isMember(work: Work, peer: PeerId): boolean {
  return work.state.fold.view.members.get(peer)?.state === 'member';
}

/** Live enough to take part: for placement's boot grace and the drain of others. */
export function isAccountedFor(work: Work, peer: PeerId): boolean {
  const verdict = verdictOf(work.state.membership, peer);
  return work.state.facts.has(peer) || verdict === 'down' || verdict === 'gone';
}
