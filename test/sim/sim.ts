import type { ClusterId, PeerId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import { wantedSlots } from '../../src/placement/wanted.ts';
import { ClockQueue } from './clock-queue.ts';
import { Faults } from './faults.ts';
import { differences, unsettled, Watch } from './invariants.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { SimPeer } from './sim-peer.ts';
import { Workload } from './workload.ts';

export type SimOptions = {
  readonly seed: number;
  readonly peers?: number;
  /** Virtual ms of trouble. */
  readonly troubleMs?: number;
  /** Virtual ms after the last fault in which everything must have come right. */
  readonly settleMs?: number;
  /** Virtual ms of peace in which nothing may start any more. */
  readonly calmMs?: number;
};

export type SimReport = {
  readonly seed: number;
  readonly peers: number;
  readonly faults: readonly string[];
  readonly commands: number;
  readonly acknowledged: number;
  readonly steps: number;
  readonly starts: number;
  /** Virtual ms from the last fault until everything was right. */
  readonly settledAfterMs: number;
};

const CLUSTER = 'simulatedclustersimulated2' as ClusterId;
const DEFAULTS = { troubleMs: 60_000, settleMs: 120_000, calmMs: 20_000 };

/** A cluster in virtual time: the real machines, in a world that one seed decides. */
export class Sim {
  readonly clock = new ClockQueue();
  readonly random: Random;
  readonly network: Network;
  readonly peers: readonly SimPeer[];
  readonly workload: Workload;
  readonly faults: Faults;
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
        find: (id) => byId.get(id),
        onAnswer: (id, result) => this.workload.answered(id, result),
        onStep: (who, before, effects) => this.#watch.onStep(who, before, effects),
      });
      byId.set(peer.peer, peer);
      return peer;
    });
    this.workload = new Workload(this.clock, this.random, this.peers);
    this.faults = new Faults(this.clock, this.random, this.network, this.peers);
  }

  /** The first host founds the cluster and admits the others, which start with the ledger that it grants them. */
  found(): void {
    const [first, ...others] = this.peers;
    if (first === undefined) return;
    for (const peer of this.peers) this.network.add(peer);
    first.start();
    const founding = { name: 'sim', peer: first.peer, caCert: '', caKey: new Uint8Array(), key: 'k' };
    this.#write(first, { type: 'cluster.found', ...founding });
    for (const { peer, name } of others)
      this.#write(first, { type: 'member.admit', peer, invite: null, name });
    this.run(200);
    const granted = first.disk.all();
    for (const peer of others) {
      peer.disk.write(granted, { addresses: { [first.peer]: ['/ip4/127.0.0.1/tcp/6001'] } });
      peer.start();
    }
    this.run(5_000);
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
    for (;;) {
      this.run(500);
      const problems = unsettled(this.peers, this.workload);
      if (problems.length === 0) break;
      if (this.clock.now - start > withinMs)
        throw new Error(`not settled after ${withinMs} ms: ${problems.slice(0, 6).join('; ')}`);
    }
    const different = differences(this.peers);
    if (different.length > 0) throw new Error(different.join('; '));
    return this.clock.now - start;
  }

  /** Rebalancing may still move a little; after it nothing starts, and everything stays right. */
  #beCalm(ms: number): void {
    let starts = this.#starts();
    for (let waited = 0; ; waited += ms) {
      this.run(ms);
      const problems = unsettled(this.peers, this.workload);
      if (this.#starts() === starts && problems.length === 0 && this.#running() === this.#wanted()) return;
      if (waited > 30 * ms)
        throw new Error(`not calm: dynos still start; ${problems.slice(0, 4).join('; ')}`);
      starts = this.#starts();
    }
  }

  #starts(): number {
    return this.peers.reduce((sum, peer) => sum + peer.runtime.starts, 0);
  }

  #running(): number {
    return this.peers.reduce((sum, peer) => sum + peer.runtime.processes.size, 0);
  }

  #wanted(): number {
    return wantedSlots((this.peers[0] as SimPeer).state.fold.view).length;
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
      settledAfterMs,
    };
  }
}
