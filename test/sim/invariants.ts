import type { PeerEffect } from '../../src/peer/effects.ts';
import type { PeerState } from '../../src/peer/state.ts';
import { phaseOf } from '../../src/dynos/life.ts';
import { rangesMissing, vectorOf } from '../../src/ledger/author-logs.ts';
import type { SlotKey } from '../../src/ids.ts';
import { wantedSlots } from '../../src/placement/wanted.ts';
import type { SimPeer } from './sim-peer.ts';
import type { Workload } from './workload.ts';

/** What must hold at every step of every peer. */
export class Watch {
  /** Number of each release as first seen anywhere: it never changes. */
  readonly #numbers = new Map<string, number>();
  readonly #checked = new WeakSet<object>();

  onStep(peer: SimPeer, before: PeerState, effects: readonly PeerEffect[]): void {
    if (peer.state.fold.view !== before.fold.view) this.#checkNumbers(peer);
    this.#checkVector(peer, before);
    for (const effect of effects) if (effect.tag === 'dyno') this.#checkStop(peer, before, effect);
  }

  #checkNumbers(peer: SimPeer): void {
    for (const app of peer.state.fold.view.apps.values()) {
      if (this.#checked.has(app)) continue;
      this.#checked.add(app);
      for (const release of app.releases.values()) {
        const seen = this.#numbers.get(release.id);
        if (seen !== undefined && seen !== release.number) {
          throw new Error(
            `${peer.name}: release ${release.id} was number ${seen} and is ${release.number} now`,
          );
        }
        this.#numbers.set(release.id, release.number);
      }
    }
  }

  #checkVector(peer: SimPeer, before: PeerState): void {
    if (peer.state.logs === before.logs) return;
    if (rangesMissing(vectorOf(before.logs), vectorOf(peer.state.logs)).length > 0) {
      throw new Error(`${peer.name}: its version vector went back`);
    }
  }

  /** A running dyno of a slot that is still wanted leaves the routes only when another one is in them. */
  #checkStop(peer: SimPeer, before: PeerState, effect: PeerEffect & { tag: 'dyno' }): void {
    const isStop =
      effect.effect.tag === 'drain' || (effect.effect.tag === 'signal' && effect.effect.signal === 'SIGTERM');
    const was = before.dynos.get(effect.life.dyno);
    if (!isStop || was === undefined || phaseOf(was) !== 'up' || peer.state.stopping) return;
    const { slot } = effect.life.slot;
    if (!peer.state.wanted.slots.some((wanted) => wanted.slot === slot)) return;
    const own = [...peer.state.dynos.values()].filter(
      (life) => life.slot.slot === slot && phaseOf(life) === 'up',
    );
    const others = [...peer.state.facts.values()].flatMap((facts) =>
      facts.dynos.filter((dyno) => dyno.slot === slot && dyno.phase === 'up'),
    );
    if (own.some((life) => life.dyno !== effect.life.dyno) || others.length > 0) return;
    throw new Error(`${peer.name}: stopped the running dyno of ${slot} before another one was up`);
  }
}

/** What must hold once everything works again and has had its time. Returns what is not so yet. */
export function unsettled(peers: readonly SimPeer[], workload: Workload): string[] {
  const problems: string[] = [];
  const [first] = peers;
  if (first === undefined) return problems;
  const vector = vectorOf(first.state.logs);
  for (const peer of peers) {
    const own = vectorOf(peer.state.logs);
    if (rangesMissing(vector, own).length + rangesMissing(own, vector).length > 0) {
      problems.push(`${peer.name} and ${first.name} hold different ops`);
    }
    for (const op of workload.acknowledged()) {
      if (!peer.disk.has(op)) problems.push(`${peer.name} lacks the acknowledged op ${op}`);
    }
    if (peer.state.fold.view.waiting > 0)
      problems.push(`${peer.name}: ${peer.state.fold.view.waiting} ops wait for parents`);
    for (const id of peer.state.fold.view.names.values()) {
      const app = peer.state.fold.view.apps.get(id);
      if (app !== undefined && app.heads.length > 1)
        problems.push(`${peer.name}: ${app.name} has ${app.heads.length} heads`);
    }
    if (peer.state.pending.size > 0) problems.push(`${peer.name}: ${peer.state.pending.size} commands pend`);
  }
  return [...problems, ...unmet(peers)];
}

/** Slots that do not have exactly one dyno, up, at the wanted generation. */
function unmet(peers: readonly SimPeer[]): string[] {
  const problems: string[] = [];
  const running = new Map<SlotKey, string[]>();
  for (const peer of peers) {
    for (const { life, isUp } of peer.runtime.processes.values()) {
      const known = peer.state.dynos.get(life.dyno);
      if (known === undefined)
        problems.push(`${peer.name}: runs ${life.slot.slot}, which its agent does not know`);
      const state = isUp && known !== undefined ? phaseOf(known) : 'starting';
      // It is out of the routes and was told to go; one that ignores SIGTERM takes 30 s for that.
      if (known !== undefined && phaseOf(known) === 'stopping') continue;
      const list = running.get(life.slot.slot) ?? [];
      running.set(life.slot.slot, [...list, `${peer.name}:${state}:${life.slot.generation}`]);
    }
  }
  const wanted = wantedSlots((peers[0] as SimPeer).state.fold.view);
  for (const { slot, generation } of wanted) {
    const found = running.get(slot) ?? [];
    running.delete(slot);
    if (found.length === 1 && found[0]?.endsWith(`:up:${generation}`)) continue;
    problems.push(`${slot} wants one at ${generation}, has [${found.join(', ')}]`);
  }
  for (const [slot, found] of running) problems.push(`${slot} is not wanted, but runs: ${found.join(', ')}`);
  return problems;
}

/** The same ops must mean the same on every peer. */
export function differences(peers: readonly SimPeer[]): string[] {
  const texts = peers.map((peer) => canonical(peer.state.fold.view));
  return peers.flatMap((peer, i) =>
    texts[i] === texts[0] ? [] : [`${peer.name} folds the same ops otherwise than ${peers[0]?.name}`],
  );
}

/** A view as text: maps sorted by key, so that equal views are equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Map) return [...part].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex');
    return part;
  });
}
