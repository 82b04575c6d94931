import { phaseOf } from '../../src/dynos/life.ts';
import { vectorOf, type Vector } from '../../src/ledger/author-logs.ts';
import type { CommandResult } from '../../src/ledger/command.ts';
import type { PeerEffect } from '../../src/peer/effects.ts';
import type { GossipMessage, PeerMessage } from '../../src/peer/messages.ts';
import type { PeerState } from '../../src/peer/state.ts';
import type { SimPeer } from './sim-peer.ts';

/** Messages that one peer may send in one second: several times what the worst seeds need, far below a storm. */
const SENDS_PER_SECOND_MAX = 400;
/** Dynos of one slot on one host: the old one, its replacement, and one that was overtaken while it booted. */
const DYNOS_PER_SLOT_MAX = 3;

/** What must hold at every step of every peer. */
export class Watch {
  /** Number of each release as first seen anywhere: it never changes. */
  readonly #numbers = new Map<string, number>();
  readonly #checked = new WeakSet<object>();
  /** The last that each peer said it holds, and as whom it spoke. */
  readonly #said = new Map<SimPeer, { vector: Vector; incarnation: number; counter: number }>();
  readonly #sends = new Map<SimPeer, { second: number; count: number }>();
  sendsPerSecondMax = 0;

  onStep(peer: SimPeer, before: PeerState, effects: readonly PeerEffect[]): void {
    if (peer.state.fold.view !== before.fold.view) this.#checkNumbers(peer);
    this.#checkLogs(peer, before);
    if (peer.state.dynos !== before.dynos) this.#checkSlots(peer);
    for (const effect of effects) {
      if (effect.tag !== 'dyno') continue;
      this.#checkStop(peer, before, effect);
      if (effect.effect.tag === 'fetchSlug' && peer.state.runtimeDown !== null)
        throw new Error(`${peer.name}: began a dyno while none could be started there`);
      if (effect.effect.tag === 'fetchSlug') this.#checkReleased(peer, effect);
    }
  }

  /** A peer starts from the disk that it had: it must remember all that it ever told others. */
  onStart(peer: SimPeer): void {
    if (peer.isRestored) this.#said.delete(peer);
    peer.isRestored = false;
  }

  onStarted(peer: SimPeer): void {
    const said = this.#said.get(peer);
    if (said === undefined) return;
    const vector = vectorOf(peer.state.logs);
    for (const [key, height] of Object.entries(said.vector)) {
      if (key.endsWith('/head') || (vector[key] ?? -1) >= height) continue;
      throw new Error(`${peer.name}: started without ops that it had said to hold`);
    }
    if (peer.state.own.incarnation <= said.incarnation)
      throw new Error(`${peer.name}: started as incarnation ${peer.state.own.incarnation} again`);
  }

  onSend(peer: SimPeer, message: PeerMessage | GossipMessage, now: number): void {
    // Who thaws answers every ping that waited for it: those who sent them were counted.
    if (!(message.t === 'swim' && message.message.t === 'ack')) this.#countSend(peer, now);
    switch (message.t) {
      case 'ops':
        if (!message.ops.every((bytes) => peer.disk.hasBytes(bytes)))
          throw new Error(`${peer.name}: told others of an op before it was durable`);
        break;
      case 'vector':
        this.#said.set(peer, { ...this.#saidBy(peer), vector: message.vector });
        break;
      case 'result':
        this.#checkDurable(peer, message.result);
        break;
      case 'facts': {
        const record =
          'record' in message ? message.record : message.records.find((one) => one.peer === peer.peer);
        if (record === undefined) break;
        const { incarnation, counter } = record;
        const said = this.#saidBy(peer);
        const isBack =
          incarnation < said.incarnation || (incarnation === said.incarnation && counter < said.counter);
        if (isBack) throw new Error(`${peer.name}: its facts went back to ${incarnation}/${counter}`);
        this.#said.set(peer, { ...said, incarnation, counter });
        break;
      }
      default:
        break;
    }
  }

  /** Whoever gets an answer may rely on it: what was written is on the disk of the peer that says so. */
  onAnswer(peer: SimPeer, result: CommandResult): void {
    this.#checkDurable(peer, result);
  }

  #checkDurable(peer: SimPeer, result: CommandResult): void {
    if (result.ok && !result.ops.every((op) => peer.disk.has(op)))
      throw new Error(`${peer.name}: acknowledged a write before it was durable here`);
  }

  #saidBy(peer: SimPeer): { vector: Vector; incarnation: number; counter: number } {
    return this.#said.get(peer) ?? { vector: {}, incarnation: -1, counter: -1 };
  }

  #countSend(peer: SimPeer, now: number): void {
    const second = Math.floor(now / 1_000);
    const last = this.#sends.get(peer);
    const count = last?.second === second ? last.count + 1 : 1;
    this.#sends.set(peer, { second, count });
    this.sendsPerSecondMax = Math.max(this.sendsPerSecondMax, count);
    if (count > SENDS_PER_SECOND_MAX)
      throw new Error(`${peer.name}: sent more than ${SENDS_PER_SECOND_MAX} messages in a second`);
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
        const parents = release.parents.map((id) => app.releases.get(id)?.number ?? 0);
        if (release.number !== 1 + Math.max(0, ...parents))
          throw new Error(
            `${peer.name}: release ${release.id} is number ${release.number} after ${parents.join()}`,
          );
      }
    }
  }

  /** No dyno of a release begins before its release command has succeeded. */
  #checkReleased(peer: SimPeer, { life }: PeerEffect & { tag: 'dyno' }): void {
    const release = peer.state.fold.view.apps.get(life.slot.app)?.releases.get(life.slot.release);
    if (release?.status === 'succeeded') return;
    // Its disk has lost a part of the ledger, but not the dyno that it found running: that begins again when it crashes.
    if (release === undefined && peer.state.fold.graph.incomplete.size > 0) return;
    throw new Error(`${peer.name}: began a dyno of ${life.slot.slot} whose release is ${release?.status}`);
  }

  /** Logs only grow; a log that forks keeps both branches. */
  #checkLogs(peer: SimPeer, before: PeerState): void {
    if (peer.state.logs === before.logs) return;
    for (const [key, log] of before.logs) {
      const after = peer.state.logs.get(key);
      if (after === log) continue;
      const isKept =
        after !== undefined && (log.head === null || after.ids.get(log.height)?.includes(log.head));
      const isShorter = after === undefined || after.height < log.height;
      if (!isKept || isShorter || after.siblings.size < log.siblings.size)
        throw new Error(`${peer.name}: its log ${key} went back`);
    }
  }

  #checkSlots(peer: SimPeer): void {
    const counts = new Map<string, number>();
    for (const life of peer.state.dynos.values()) {
      const phase = phaseOf(life);
      if (phase === 'stopping' || phase === 'draining') continue;
      const count = (counts.get(life.slot.slot) ?? 0) + 1;
      counts.set(life.slot.slot, count);
      if (count > DYNOS_PER_SLOT_MAX) throw new Error(`${peer.name}: ${count} dynos in ${life.slot.slot}`);
    }
  }

  /** A running dyno of a slot that is still wanted leaves the routes only when another one is in them. */
  #checkStop(peer: SimPeer, before: PeerState, effect: PeerEffect & { tag: 'dyno' }): void {
    const isStop =
      effect.effect.tag === 'drain' || (effect.effect.tag === 'signal' && effect.effect.signal === 'SIGTERM');
    const was = before.dynos.get(effect.life.dyno);
    if (!isStop || was === undefined || phaseOf(was) !== 'up' || peer.state.stopping) return;
    const { slot, volumes } = effect.life.slot;
    // Two dynos with one volume must not be up at once: there the old one goes first.
    const next = peer.state.wanted.slots.find((wanted) => wanted.slot === slot);
    if (volumes.length > 0 || (next?.volumes.length ?? 0) > 0) return;
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
