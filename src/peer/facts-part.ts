import { phaseOf } from '../dynos/life.ts';
import type { DynoFact, PeerFacts } from '../facts.ts';
import type { DynoLife } from '../dynos/types.ts';
import type { PeerId } from '../ids.ts';
import { handovers } from '../placement/plan.ts';
import { parseFacts } from './parse-facts.ts';
import { firstFacts } from './first-facts.ts';
import { detect, isMember, pushMembers } from './membership-part.ts';
import { runtimeFacts } from './runtime-part.ts';
import { isMadeFrom, withEntry, type Work } from './work.ts';

/** Changes close together travel as one: a burst of dynos coming up is one message, not ten. */
const PUBLISH_DELAY_MS = 15;
const PUBLISH_EVERY_MS = 60;
/** The load average is for people to look at: only a change that they would notice is worth a message to everybody. */
const LOAD_NEWS_MIN = 0.5;
const LOAD_NEWS_SHARE = 0.25;

/** Takes what another peer says of itself, when it is news. */
export function onFacts(work: Work, records: readonly unknown[]): void {
  const { state } = work;
  for (const record of records) {
    // Gossip and anti-entropy bring most things more than once: a look at the version is cheaper than a whole reading.
    if (isOld(work, record)) continue;
    const facts = parseFacts(record);
    if (facts === null) {
      const { peer } = (record ?? {}) as Partial<PeerFacts>;
      work.effects.push({ tag: 'alarm', text: 'facts refused', fields: { peer } });
      continue;
    }
    if (facts.peer === state.self) outdoForgotten(work, facts);
    if (facts.peer === state.self || !isMember(work, facts.peer)) continue;
    state.facts = withEntry(state.facts, facts.peer, facts);
    rememberAddress(work, facts.peer, facts.addrs.mesh);
    work.replan = true;
  }
}

function isOld({ state }: Work, record: unknown): boolean {
  const version = record as Partial<PeerFacts> | null | undefined;
  const held = version?.peer === undefined ? undefined : state.facts.get(version.peer);
  return held !== undefined && !isNewer(version as PeerFacts, held);
}

function isNewer(a: PeerFacts, b: PeerFacts): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.counter > b.counter);
}

/**
 * Facts of ours that are newer than ours come from a run that our disk has forgotten (an old backup was put back) and
 * that had the same incarnation. Others would believe them until we have said as much again, which may be never.
 */
function outdoForgotten(work: Work, facts: PeerFacts): void {
  if (!isNewer(facts, work.state.own)) return;
  detect(work, { tag: 'forgotten', incarnation: facts.incarnation });
}

/** The address book is how a peer that boots alone finds the others again. */
function rememberAddress(work: Work, peer: PeerId, addrs: readonly string[]): void {
  const { state } = work;
  const known = state.addresses.get(peer);
  if (addrs.length === 0 || (known !== undefined && known.join() === addrs.join())) return;
  state.addresses = withEntry(state.addresses, peer, addrs);
  const records = { addresses: Object.fromEntries(state.addresses) };
  work.effects.push({ tag: 'persist', ops: [], records });
  pushMembers(work);
}

/** Publishes our own facts once they differ from what was last said, after a short delay that gathers bursts. */
export function publishIfDue(work: Work): void {
  const { state, now } = work;
  const { dynos, oneOffs, tookOneOffs, blobs, load, draining, stopping, placement, runtimeDown } = state;
  const from = [dynos, oneOffs, tookOneOffs, blobs, load, draining, stopping, placement, runtimeDown];
  if (state.publishAt === null && isMadeFrom(state.ownFrom, from)) return;
  state.ownFrom = from;
  const next = ownFacts(work);
  if (!saysMore(state.own, next)) {
    state.publishAt = null;
    return;
  }
  state.publishAt ??= Math.max(now.mono + PUBLISH_DELAY_MS, state.publishedAt + PUBLISH_EVERY_MS);
  if (now.mono < state.publishAt) return;
  state.own = { ...next, counter: state.own.counter + 1 };
  state.publishAt = null;
  state.publishedAt = now.mono;
  work.effects.push({ tag: 'gossip', message: { t: 'facts', record: state.own } });
}

/** Our facts as they are at this moment, at the counter last published. */
export function ownFacts(work: Work): PeerFacts {
  const { state } = work;
  return {
    ...firstFacts(state.identity),
    ...runtimeFacts(state),
    incarnation: state.own.incarnation,
    counter: state.own.counter,
    load: state.load,
    // One that stops takes nothing more either, and may go on so for long: it takes itself for removed, say.
    draining: state.draining || state.stopping,
    dynos: [...state.dynos.values()].flatMap((life) => dynoFact(life) ?? []),
    oneOffs: state.oneOffs,
    ...(state.tookOneOffs.length === 0 ? {} : { tookOneOffs: state.tookOneOffs }),
    blobs: state.blobs,
    shy: shySlots(work),
  };
}

function saysMore(said: PeerFacts, next: PeerFacts): boolean {
  return (
    said.draining !== next.draining ||
    said.runtimeDown !== next.runtimeDown ||
    said.dynosLost !== next.dynosLost ||
    Math.abs(said.load - next.load) >= Math.max(LOAD_NEWS_MIN, said.load * LOAD_NEWS_SHARE) ||
    said.blobs !== next.blobs ||
    said.oneOffs !== next.oneOffs ||
    said.tookOneOffs !== next.tookOneOffs ||
    JSON.stringify([said.dynos, said.shy]) !== JSON.stringify([next.dynos, next.shy])
  );
}

/** Crashes in a row after which a peer steps back for a slot, should another be able to take it. */
const SHY_AFTER_CRASHES = 3;

function shySlots(work: Work): PeerFacts['shy'] {
  const failing = [...work.state.dynos.values()]
    .filter((life) => life.crashes >= SHY_AFTER_CRASHES)
    .map((life) => life.slot.slot);
  // An overloaded peer offers a slot to others by being shy of it.
  return [...new Set([...failing, ...handovers(work.state.placement)])].sort();
}

function dynoFact(life: DynoLife): DynoFact | null {
  if (life.state.tag === 'gone') return null;
  const { slot, app, type, index, release, generation, size, command } = life.slot;
  return {
    slot,
    app,
    type,
    index,
    release,
    generation,
    size,
    command,
    dyno: life.dyno,
    claimedAt: life.claimedAt,
    phase: phaseOf(life),
    since: life.since,
    port: life.address?.port ?? null,
    crashes: life.crashes,
    ...(life.isCycling ? { cycling: true as const } : {}),
  };
}
