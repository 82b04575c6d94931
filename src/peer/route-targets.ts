import { phaseOf } from '../dynos/life.ts';
import type { DynoPhase, PeerFacts } from '../facts.ts';
import type { AppId } from '../ids.ts';
import type { RouteTarget } from '../routing/table.ts';
import type { PeerState } from './state.ts';

/** A dyno that may be routed to, by where it is in its life. */
export type RouteCandidate = {
  readonly phase: DynoPhase;
  /** Whether it was given a port: a dyno from before its type was opened runs on without one until it is replaced. */
  readonly listens: boolean;
  readonly target: RouteTarget;
};

/** The dynos of one process type, here and at these peers, as far as this peer has heard. */
export function routeCandidates(
  state: PeerState,
  app: AppId,
  type: string,
  peers: readonly PeerFacts[],
): readonly RouteCandidate[] {
  return [...ofThisPeer(state, app, type), ...peers.flatMap((facts) => ofOtherPeer(facts, app, type))];
}

/** Those that take requests and connections now. */
export function upTargets(candidates: readonly RouteCandidate[]): readonly RouteTarget[] {
  return candidates.filter(({ phase, listens }) => phase === 'up' && listens).map(({ target }) => target);
}

/** Whether one more is about to be up. A slot that nobody holds yet is about to start as well. */
export function isStarting(candidates: readonly RouteCandidate[], wanted: number): boolean {
  return (
    candidates.some(({ phase }) => phase === 'starting' || phase === 'fetching') || candidates.length < wanted
  );
}

/** Not up yet, so that nobody looks. */
const NOWHERE = { host: '127.0.0.1', port: 0 };

function ofThisPeer(state: PeerState, app: AppId, type: string): RouteCandidate[] {
  return [...state.dynos.values()]
    .filter(({ slot }) => slot.app === app && slot.type === type)
    .map((life) => ({
      phase: phaseOf(life),
      listens: life.address !== null,
      target: {
        dyno: life.dyno,
        name: `${type}.${life.slot.index}`,
        peer: state.self,
        local: true,
        ...(life.address ?? NOWHERE),
      },
    }));
}

function ofOtherPeer(facts: PeerFacts, app: AppId, type: string): RouteCandidate[] {
  const colon = facts.addrs.proxy.lastIndexOf(':');
  const host = facts.addrs.proxy.slice(0, colon);
  const port = Number(facts.addrs.proxy.slice(colon + 1));
  return facts.dynos
    .filter((dyno) => dyno.app === app && dyno.type === type)
    .map((fact) => ({
      phase: fact.phase,
      listens: fact.port !== null,
      target: { dyno: fact.dyno, name: `${type}.${fact.index}`, peer: facts.peer, local: false, host, port },
    }));
}
