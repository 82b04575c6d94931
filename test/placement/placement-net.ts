import { beginLife, nextDynoWake, phaseOf, stepDyno, wantsRestart } from '../../src/dynos/life.ts';
import type { DynoEffect, DynoEvent, DynoLife } from '../../src/dynos/types.ts';
import type { DynoFact, PeerFacts, Verdict } from '../../src/facts.ts';
import type { DynoId, PeerId, SlotKey } from '../../src/ids.ts';
import { createPlacement, handovers, nextPlacementWake, planPlacement } from '../../src/placement/plan.ts';
import type { PlacementState } from '../../src/placement/plan.ts';
import type { PlacementAction, PlacementPeer, WantedSlot } from '../../src/placement/types.ts';
import { peerFacts } from './builders.ts';

type Site = {
  readonly id: PeerId;
  placement: PlacementState;
  lives: Map<DynoId, DynoLife>;
  draining: boolean;
  counter: number;
  /** What it has heard of the others, and how they look to it. */
  readonly heard: Map<PeerId, PeerFacts>;
  readonly verdicts: Map<PeerId, { readonly verdict: Verdict; readonly at: number }>;
  isDead: boolean;
};

type Pending = { readonly at: number; readonly order: number; readonly run: () => void };

const GOSSIP_MS = 20;
const FETCH_MS = 50;
const BOOT_MS = 300;
const EXIT_MS = 50;
const SHY_AFTER = 3;
const ADDRESS = { host: '127.0.0.1', port: 4_000 };

/** Placement and dynos of several peers on one virtual clock; who sees whom, and how, is set by the test. */
export class PlacementNet {
  now = 0;
  wanted: readonly WantedSlot[] = [];
  starts = 0;
  readonly ids: readonly PeerId[];
  /** A dyno of these slots exits as soon as it runs. */
  readonly crashing = new Set<SlotKey>();
  readonly #sites = new Map<PeerId, Site>();
  readonly #cut = new Set<string>();
  readonly #memoryMiB: number;
  #queue: Pending[] = [];
  #order = 0;

  constructor(size: number, memoryMiB = 8_192) {
    this.#memoryMiB = memoryMiB;
    this.ids = Array.from({ length: size }, (_, at) => `p${at}` as PeerId);
    for (const id of this.ids) this.#sites.set(id, newSite(id));
    for (const id of this.ids) this.publish(id);
  }

  peer(at: number): PeerId {
    const peer = this.ids[at];
    if (peer === undefined) throw new Error(`There is no peer ${at}`);
    return peer;
  }

  want(wanted: readonly WantedSlot[]): void {
    this.wanted = wanted;
    for (const id of this.ids) this.plan(id);
  }

  drain(peer: PeerId, on: boolean): void {
    this.site(peer).draining = on;
    this.publish(peer);
    this.plan(peer);
  }

  /** The host is lost: nothing of it runs on, and the others judge it so. */
  lose(peer: PeerId, verdict: Verdict): void {
    const site = this.site(peer);
    site.isDead = true;
    site.lives = new Map();
    for (const other of this.ids) if (other !== peer) this.judge(other, peer, verdict);
  }

  /** It starts anew with nothing running. */
  comeBack(peer: PeerId): void {
    const site = this.site(peer);
    site.isDead = false;
    site.placement = createPlacement();
    for (const other of this.ids) if (other !== peer) this.judge(other, peer, 'alive');
    this.publish(peer);
    this.plan(peer);
  }

  /** Each side believes the other `verdict`; nothing passes between them until `heal`. */
  split(left: readonly PeerId[], right: readonly PeerId[], verdict: Verdict): void {
    for (const a of left) {
      for (const b of right) {
        this.#cut.add(`${a} ${b}`).add(`${b} ${a}`);
        this.judge(a, b, verdict);
        this.judge(b, a, verdict);
      }
    }
  }

  heal(): void {
    this.#cut.clear();
    for (const a of this.ids) for (const b of this.ids) if (a !== b) this.judge(a, b, 'alive');
    for (const id of this.ids) this.publish(id);
  }

  judge(by: PeerId, of: PeerId, verdict: Verdict): void {
    this.site(by).verdicts.set(of, { verdict, at: this.now });
    this.later(0, () => this.plan(by));
  }

  run(ms: number, check: () => void = () => undefined): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.#queue.sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (next === undefined || next.at > until) break;
      this.#queue.shift();
      this.now = Math.max(this.now, next.at);
      next.run();
      check();
    }
    this.now = until;
  }

  runUntil(holds: () => boolean, withinMs: number, check: () => void = () => undefined): number {
    const from = this.now;
    while (!holds()) {
      if (this.now - from >= withinMs) throw new Error(`Not true within ${withinMs} ms: ${this.picture()}`);
      this.run(10, check);
    }
    return this.now - from;
  }

  /** Dynos of a slot that serve now, anywhere. */
  serving(slot: SlotKey): readonly DynoLife[] {
    return this.ids.flatMap((id) =>
      [...this.site(id).lives.values()].filter((life) => life.slot.slot === slot && phaseOf(life) === 'up'),
    );
  }

  /** Claims of a slot now, by peer. */
  claims(slot: SlotKey): readonly string[] {
    return this.ids.flatMap((id) =>
      this.facts(id)
        .dynos.filter((fact) => fact.slot === slot && fact.phase !== 'draining' && fact.phase !== 'stopping')
        .map((fact) => `${id} ${fact.generation} ${fact.phase}`),
    );
  }

  /** Every wanted slot runs exactly once, up and at its generation. */
  isSettled(): boolean {
    return this.wanted.every(({ slot, generation }) => {
      const [claim, ...more] = this.claims(slot);
      return claim?.endsWith(` ${generation} up`) === true && more.length === 0;
    });
  }

  count(peer: PeerId): number {
    return this.wanted.filter(({ slot }) => this.claims(slot).some((claim) => claim.startsWith(`${peer} `)))
      .length;
  }

  picture(): string {
    return this.wanted.map(({ slot }) => `${slot}: ${this.claims(slot).join(', ')}`).join('; ');
  }

  plan(id: PeerId): void {
    const site = this.site(id);
    if (site.isDead) return;
    const peers: PlacementPeer[] = [{ facts: this.facts(id), verdict: 'alive', verdictAt: 0 }];
    for (const facts of site.heard.values()) {
      const { verdict, at } = site.verdicts.get(facts.peer) ?? { verdict: 'alive', at: 0 };
      peers.push({ facts, verdict, verdictAt: at });
    }
    const input = { me: id, wanted: this.wanted, peers, members: this.ids.length };
    const { state, actions } = planPlacement(site.placement, input, this.clock());
    const hasOffers = handovers(state).join() !== handovers(site.placement).join();
    site.placement = state;
    for (const action of actions) this.#act(site, action);
    if (actions.length > 0 || hasOffers) this.publish(id);
    const wakeAt = nextPlacementWake(state);
    if (wakeAt === Infinity) return;
    this.later(Math.max(0, wakeAt - this.now), () => {
      if (site.placement === state) this.plan(id);
    });
  }

  publish(id: PeerId): void {
    const site = this.site(id);
    if (site.isDead) return;
    site.counter += 1;
    const facts = this.facts(id);
    for (const other of this.ids) {
      if (other === id || this.#cut.has(`${id} ${other}`)) continue;
      this.later(GOSSIP_MS, () => {
        const heard = this.site(other).heard.get(id);
        if (heard !== undefined && heard.counter > facts.counter) return;
        this.site(other).heard.set(id, facts);
        this.plan(other);
      });
    }
  }

  facts(id: PeerId): PeerFacts {
    const site = this.site(id);
    const lives = [...site.lives.values()];
    const failing = lives.filter(({ crashes }) => crashes >= SHY_AFTER).map(({ slot }) => slot.slot);
    return peerFacts(id, {
      counter: site.counter,
      draining: site.draining,
      capacity: { memoryMiB: this.#memoryMiB, cpus: 4 },
      shy: [...new Set([...failing, ...handovers(site.placement)])].sort(),
      dynos: lives.filter(({ state }) => state.tag !== 'gone').map(factOf),
    });
  }

  later(ms: number, run: () => void): void {
    this.#order += 1;
    this.#queue.push({ at: this.now + ms, order: this.#order, run });
  }

  clock() {
    return { mono: this.now, wall: this.now };
  }

  site(id: PeerId): Site {
    const site = this.#sites.get(id);
    if (site === undefined) throw new Error(`There is no peer "${id}"`);
    return site;
  }

  #act(site: Site, action: PlacementAction): void {
    if (action.tag === 'start') {
      const replaced = action.replaces === null ? undefined : site.lives.get(action.replaces);
      this.#begin(site, action.slot, replaced?.claimedAt ?? { ms: this.now, n: 0 }, 0);
    } else if (action.tag === 'stop') {
      this.#live(site, action.dyno, { tag: 'stop' });
    }
  }

  #begin(site: Site, slot: WantedSlot, claimedAt: DynoLife['claimedAt'], crashes: number): void {
    this.starts += 1;
    const dyno = `${site.id}-${this.starts}` as DynoId;
    const { state, effects } = beginLife({ dyno, slot, claimedAt, crashes }, this.clock());
    site.lives.set(dyno, state);
    for (const effect of effects) this.#perform(site, dyno, effect);
  }

  #live(site: Site, dyno: DynoId, event: DynoEvent): void {
    const life = site.lives.get(dyno);
    if (life === undefined || site.isDead) return;
    const next = stepDyno(life, event, this.clock());
    if (next.state.state.tag === 'gone') site.lives.delete(dyno);
    else site.lives.set(dyno, next.state);
    for (const effect of next.effects) this.#perform(site, dyno, effect);
    this.#watch(site, dyno);
    if (phaseOf(next.state) === phaseOf(life) && next.state.state.tag !== 'gone') return;
    this.publish(site.id);
    this.later(0, () => this.plan(site.id));
  }

  #watch(site: Site, dyno: DynoId): void {
    const life = site.lives.get(dyno);
    if (life === undefined || nextDynoWake(life) === Infinity) return;
    this.later(Math.max(0, nextDynoWake(life) - this.now), () => {
      if (site.lives.get(dyno) !== life) return;
      if (!wantsRestart(life, this.clock())) return this.#live(site, dyno, { tag: 'tick' });
      site.lives.delete(dyno);
      this.#begin(site, life.slot, life.claimedAt, life.crashes);
      this.publish(site.id);
    });
  }

  #perform(site: Site, dyno: DynoId, effect: DynoEffect): void {
    const tell = (ms: number, event: DynoEvent) => this.later(ms, () => this.#live(site, dyno, event));
    if (effect.tag === 'fetchSlug') tell(FETCH_MS, { tag: 'slug', ok: true });
    if (effect.tag === 'drain') tell(5, { tag: 'drained' });
    if (effect.tag === 'signal')
      tell(EXIT_MS, { tag: 'exited', status: null, signal: effect.signal, outOfMemory: false });
    if (effect.tag !== 'start') return;
    tell(10, { tag: 'started', address: ADDRESS });
    const life = site.lives.get(dyno);
    if (life !== undefined && this.crashing.has(life.slot.slot))
      tell(100, { tag: 'exited', status: 1, signal: null, outOfMemory: false });
    else tell(BOOT_MS, { tag: 'ready', address: ADDRESS });
  }
}

function newSite(id: PeerId): Site {
  return {
    id,
    placement: createPlacement(),
    lives: new Map(),
    draining: false,
    counter: 0,
    heard: new Map(),
    verdicts: new Map(),
    isDead: false,
  };
}

function factOf(life: DynoLife): DynoFact {
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
  };
}
