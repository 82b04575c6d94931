import type { ClusterId, PeerId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { SYNC_EVERY_MS } from '../../src/peer/ledger-part.ts';
import { wantedSlots } from '../../src/placement/wanted.ts';
import { ClockQueue } from './clock-queue.ts';
import { Faults, type FaultKind } from './faults.ts';
import { misread, misrouted, unsettled } from './invariants.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { SimProvider } from './sim-addons.ts';
import { SimPeer } from './sim-peer.ts';
import { Trace } from './trace.ts';
import { Watch } from './watch.ts';
import { Workload } from './workload.ts';

export type SimOptions = {
  readonly seed: number;
  readonly peers?: number;
  /** What may go wrong; drawn from the seed unless given. */
  readonly kinds?: readonly FaultKind[];
  /** Virtual ms of trouble. */
  readonly troubleMs?: number;
  /** Virtual ms after the last fault in which everything must have come right. */
  readonly settleMs?: number;
  /** Virtual ms of peace in which nothing may start any more. */
  readonly calmMs?: number;
  /** Hash every effect: slower. */
  readonly isTraced?: boolean;
};

export type SimReport = {
  readonly seed: number;
  readonly peers: number;
  readonly faults: readonly string[];
  readonly commands: number;
  readonly acknowledged: number;
  readonly steps: number;
  readonly starts: number;
  /** Most messages that one peer sent in one virtual second. */
  readonly sendsPerSecondMax: number;
  readonly trace: string | null;
  /** Virtual ms from the last fault until everything was right. */
  readonly settledAfterMs: number;
};

const CLUSTER = 'simulatedclustersimulated2' as ClusterId;
const DEFAULTS = { troubleMs: 60_000, settleMs: 120_000, calmMs: 20_000 };
/** Routes are right this soon after the peers agree: news that the last fault swallowed comes with the next exchanges. */
const ROUTES_WITHIN_MS = 2 * SYNC_EVERY_MS;

/** A cluster in virtual time: the real machines, in a world that one seed decides. */
export class Sim {
  readonly clock = new ClockQueue();
  readonly random: Random;
  readonly network: Network;
  readonly peers: readonly SimPeer[];
  readonly workload: Workload;
  readonly provider = new SimProvider();
  readonly faults: Faults;
  /** Everything that the machines ever wanted, as one hash; only where asked for. */
  readonly trace: Trace | null;
  readonly #options: SimOptions;
  readonly #watch = new Watch();

  constructor(options: SimOptions) {
    this.#options = options;
    this.random = new Random(options.seed);
    this.network = new Network(this.clock, this.random);
    const count = options.peers ?? this.random.int(2, 6);
    const byId = new Map<PeerId, SimPeer>();
    this.peers = Array.from({ length: count }, (_, index) => {
      const peer: SimPeer = new SimPeer({
        index,
        seed: options.seed,
        cluster: CLUSTER,
        clock: this.clock,
        network: this.network,
        random: this.random,
        provider: this.provider,
        find: (id) => byId.get(id),
        onAnswer: (who, id, result) => {
          this.#watch.onAnswer(who, result);
          this.workload.answered(id, result);
        },
        onStart: (who) => this.#watch.onStart(who),
        onStarted: (who) => this.#watch.onStarted(who),
        onSend: (who, message) => this.#watch.onSend(who, message, this.clock.now),
        onStep: (who, before, effects) => {
          this.trace?.add(who.name, this.clock.now, effects);
          this.#watch.onStep(who, before, effects);
        },
      });
      byId.set(peer.peer, peer);
      return peer;
    });
    this.workload = new Workload(this.clock, this.random, this.peers);
    this.trace = options.isTraced === true ? new Trace() : null;
    const { clock, random, network, peers } = this;
    this.faults = new Faults({ clock, random, network, peers }, options.kinds);
  }

  /** The first host founds the cluster and admits the others, which start with the ledger that it grants them. */
  found(): void {
    const [first, ...others] = this.peers;
    if (first === undefined) return;
    for (const peer of this.peers) this.network.add(peer);
    first.start();
    const founding = { name: 'sim', peer: first.peer, caCert: '', caKey: new Uint8Array(), key: 'k' };
    this.#write(first, { type: 'cluster.found', ...founding });
    // Where somebody is to join in mid-run, the last one stays outside until then.
    const isOpen = this.faults.kinds.includes('join') && others.length > 1;
    const admitted = isOpen ? others.slice(0, -1) : others;
    first.standing = 'member';
    for (const { peer, name } of admitted)
      this.#write(first, { type: 'member.admit', peer, invite: null, name });
    this.run(200);
    const granted = first.disk.all();
    for (const peer of admitted) {
      peer.standing = 'member';
      peer.disk.write(granted, { addresses: { [first.peer]: ['/ip4/127.0.0.1/tcp/6001'] } });
      peer.start();
    }
    this.run(5_000);
  }

  /** Those that count at the end. */
  members(): readonly SimPeer[] {
    return this.peers.filter(({ standing }) => standing === 'member');
  }

  #write(peer: SimPeer, command: Command): void {
    peer.dispatch({ tag: 'command', id: command.type, command, context: { user: 'kith', request: null } });
  }

  run(ms: number): void {
    this.clock.runUntil(this.clock.now + ms);
  }

  /** A whole run: found, trouble, heal, settle, calm. Throws with the seed when a promise is broken. */
  play(): SimReport {
    const { seed } = this.#options;
    const { troubleMs, settleMs, calmMs } = { ...DEFAULTS, ...this.#options };
    try {
      this.found();
      this.workload.run(900);
      this.faults.run(4_000);
      this.run(troubleMs);
      this.workload.stop();
      this.faults.end();
      const settledAfterMs = this.#settle(settleMs);
      this.#beCalm(calmMs);
      return this.#report(settledAfterMs);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const kinds = this.faults.kinds.join(', ') || 'no faults';
      throw new Error(
        `Seed ${seed} at ${Math.round(this.clock.now)} ms (${this.peers.length} peers; ${kinds}): ${reason}`,
        { cause },
      );
    }
  }

  #settle(withinMs: number): number {
    const start = this.clock.now;
    let misroutedSince: number | null = null;
    for (;;) {
      this.run(500);
      const problems = unsettled(this.members(), this.workload, this.provider);
      if (problems.length === 0) {
        const routes = misrouted(this.members());
        if (routes.length === 0) break;
        misroutedSince ??= this.clock.now;
        if (this.clock.now - misroutedSince > ROUTES_WITHIN_MS) throw new Error(routes.join('; '));
      } else misroutedSince = null;
      if (this.clock.now - start > withinMs)
        throw new Error(`not settled after ${withinMs} ms: ${problems.slice(0, 6).join('; ')}`);
    }
    const wrong = misread(this.members(), this.workload);
    if (wrong.length > 0) throw new Error(wrong.join('; '));
    return this.clock.now - start;
  }

  /** Rebalancing may still move a little; after it nothing starts, and everything stays right. */
  #beCalm(ms: number): void {
    let starts = this.#starts();
    for (let waited = 0; ; waited += ms) {
      this.run(ms);
      const problems = [
        ...unsettled(this.members(), this.workload, this.provider),
        ...misrouted(this.members()),
      ];
      if (this.#starts() === starts && problems.length === 0 && this.#running() === this.#wanted()) return;
      if (waited > 30 * ms)
        throw new Error(`not calm: dynos still start; ${problems.slice(0, 4).join('; ')}`);
      starts = this.#starts();
    }
  }

  #starts(): number {
    return this.members().reduce((sum, peer) => sum + peer.runtime.starts, 0);
  }

  #running(): number {
    return this.members().reduce((sum, peer) => sum + peer.runtime.processes.size, 0);
  }

  #wanted(): number {
    return wantedSlots((this.members()[0] as SimPeer).state.fold.view).length;
  }

  #report(settledAfterMs: number): SimReport {
    return {
      seed: this.#options.seed,
      peers: this.peers.length,
      faults: this.faults.kinds,
      commands: this.workload.asked.size,
      acknowledged: this.workload.acknowledged().length,
      steps: this.peers.reduce((sum, peer) => sum + peer.steps, 0),
      starts: this.#starts(),
      sendsPerSecondMax: this.#watch.sendsPerSecondMax,
      trace: this.trace?.digest() ?? null,
      settledAfterMs,
    };
  }
}
