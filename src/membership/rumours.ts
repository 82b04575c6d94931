import type { PeerId } from '../ids.ts';
import { unitOf } from '../prng.ts';
import { spreadRumour } from './gossip.ts';
import { startProbe } from './probe.ts';
import { adjustHealth } from './self-doubt.ts';
import type { Draft } from './state.ts';
import { bury, revive, suspect } from './suspicion.ts';
import { JURORS } from './timing.ts';
import type { Rumour } from './types.ts';

/** Believes, confirms or refutes what another peer passed on. Rumours about strangers are nobody's business. */
export function hearRumour(draft: Draft, rumour: Rumour): void {
  if (rumour.peer === draft.self) return refute(draft, rumour);
  const member = draft.members.get(rumour.peer);
  if (member === undefined) return;
  switch (rumour.state) {
    case 'alive':
      return revive(draft, rumour.peer, rumour.incarnation);
    case 'suspect':
      suspect(draft, rumour.peer, rumour.incarnation, rumour.by);
      return doubleCheck(draft, rumour);
    case 'down':
    case 'left':
      if (bury(draft, rumour.peer, { state: rumour.state, incarnation: rumour.incarnation, by: rumour.by })) {
        doubleCheck(draft, rumour);
      }
  }
}

/** Looks for ourselves: our ping tells the accused what is said, and our own failure to reach it confirms it. */
function doubleCheck(draft: Draft, rumour: Rumour): void {
  const member = draft.members.get(rumour.peer);
  if (member === undefined || rumour.incarnation < member.incarnation) return;
  const isWitness = member.suspicion?.by.includes(draft.self) === true;
  if (isWitness || !isJuror(draft, rumour)) return;
  if (member.connected || member.status === 'suspect') startProbe(draft, rumour.peer);
}

/**
 * Whether this rumour is ours to check: a few peers are enough, and all of them at once would be a storm just when a big
 * cluster is short of breath. Who they are follows from the accused and its incarnation, so that nobody need ask.
 */
function isJuror(draft: Draft, { peer: accused, incarnation }: Rumour): boolean {
  const scoreOf = (peer: PeerId): number => unitOf(`${accused} ${incarnation} ${peer}`);
  const own = scoreOf(draft.self);
  let before = 0;
  for (const { peer, status } of draft.members.values()) {
    if (peer === accused || status !== 'alive' || scoreOf(peer) >= own) continue;
    before += 1;
    if (before >= JURORS) return false;
  }
  return true;
}

/** We are alive: a higher incarnation of ours beats whatever is said of the one in the rumour. */
function refute(draft: Draft, rumour: Rumour): void {
  const isThreat =
    rumour.state === 'alive'
      ? rumour.incarnation > draft.incarnation
      : rumour.incarnation >= draft.incarnation;
  if (!isThreat || draft.left) return;
  outdo(draft, rumour.incarnation);
  if (rumour.state === 'suspect' || rumour.state === 'down') adjustHealth(draft, 1);
}

/** From here on we live in a higher incarnation than this one, and say so at once. */
export function outdo(draft: Draft, earlier: number): void {
  if (earlier < draft.incarnation || draft.left) return;
  draft.incarnation = earlier + 1;
  draft.effects.push({ tag: 'incarnation', incarnation: draft.incarnation });
  const { self: peer, incarnation } = draft;
  spreadRumour(draft, { peer, incarnation, state: 'alive', by: peer });
  draft.nextGossipAt = draft.now;
}
