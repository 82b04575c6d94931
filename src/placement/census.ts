import { sizeOf } from '../dyno-sizes.ts';
import type { DynoFact } from '../facts.ts';
import type { PeerId, SlotKey } from '../ids.ts';
import type { Claim, PlacementInput, PlacementPeer, WantedSlot } from './types.ts';
import { compareText } from './wanted.ts';

/** What one peer carries; assignments that a plan foresees are added to it. */
export type Load = {
  reservedMiB: number;
  /** Slots that it claims. */
  slots: number;
  /** Slots by app and type, for the spread. */
  readonly byKind: Map<string, number>;
};

/** All that the peers say of themselves, in the shape that planning asks for. Does not depend on the input's order. */
export type Census = {
  readonly me: PeerId;
  readonly members: number;
  /** By id. */
  readonly peers: readonly PlacementPeer[];
  readonly byId: ReadonlyMap<PeerId, PlacementPeer>;
  readonly claims: ReadonlyMap<SlotKey, readonly Claim[]>;
  readonly loads: ReadonlyMap<PeerId, Load>;
};

export function takeCensus(input: PlacementInput): Census {
  const peers = [...input.peers].sort((a, b) => compareText(a.facts.peer, b.facts.peer));
  const claims = new Map<SlotKey, Claim[]>();
  for (const { facts } of peers) {
    for (const fact of facts.dynos) {
      if (!isClaim(fact)) continue;
      const claim = { peer: facts.peer, fact };
      const known = claims.get(fact.slot);
      if (known === undefined) claims.set(fact.slot, [claim]);
      else known.push(claim);
    }
  }
  return {
    me: input.me,
    members: input.members,
    peers,
    byId: new Map(peers.map((peer) => [peer.facts.peer, peer])),
    claims,
    loads: new Map(peers.map((peer) => [peer.facts.peer, loadOf(peer)])),
  };
}

/** A dyno on its way out holds its slot no more. */
export function isClaim(fact: DynoFact): boolean {
  return fact.phase !== 'draining' && fact.phase !== 'stopping';
}

/** Whether this dyno is what the slot asks for now; any other is replaced. */
export function runsAsWanted(fact: DynoFact, slot: WantedSlot): boolean {
  return fact.generation === slot.generation && fact.size === slot.size && fact.cycling !== true;
}

/** A peer that gives all of its slots away: it drains, or has lost hold of its dynos. */
export function isLeaving({ facts }: PlacementPeer): boolean {
  return facts.draining || facts.dynosLost === true;
}

/** A peer that leaves, or is shy of the slot, gives it to whoever has it up. */
export function isWilling(peer: PlacementPeer, slot: SlotKey): boolean {
  return !isLeaving(peer) && !peer.facts.shy.includes(slot);
}

export function loadAt(census: Census, peer: PeerId): Load {
  return census.loads.get(peer) ?? { reservedMiB: 0, slots: 0, byKind: new Map() };
}

/** Counts a slot as this peer's, so that the next one is dealt out knowing it. */
export function assign(census: Census, peer: PeerId, slot: WantedSlot): void {
  const load = census.loads.get(peer);
  if (load === undefined) return;
  load.reservedMiB += slot.memoryMiB;
  load.slots += 1;
  load.byKind.set(kindOf(slot), (load.byKind.get(kindOf(slot)) ?? 0) + 1);
}

export function kindOf(slot: Pick<WantedSlot, 'app' | 'type'>): string {
  return `${slot.app}/${slot.type}`;
}

function loadOf({ facts }: PlacementPeer): Load {
  const load: Load = { reservedMiB: 0, slots: 0, byKind: new Map() };
  const seen = new Set<SlotKey>();
  for (const fact of facts.dynos) {
    load.reservedMiB += sizeOf(fact.size).memoryMiB;
    if (!isClaim(fact) || seen.has(fact.slot)) continue;
    seen.add(fact.slot);
    load.slots += 1;
    load.byKind.set(kindOf(fact), (load.byKind.get(kindOf(fact)) ?? 0) + 1);
  }
  for (const oneOff of facts.oneOffs) load.reservedMiB += sizeOf(oneOff.size).memoryMiB;
  return load;
}
