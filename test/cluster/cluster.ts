import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { InStep } from './in-step.ts';
import { Peer } from './peer.ts';

const NAMES = ['ash', 'birch', 'cedar', 'dogwood', 'elm', 'fir'] as const;
/** Real processes on a shared machine: deadlines are for what hangs, not for what is slow. */
export const WAIT_MS = 90_000;
const START_MS = 300_000;

/** Real agents on loopback, one cluster; everything below one folder. */
export class Cluster {
  readonly dir: string;
  readonly peers: readonly Peer[];
  readonly #strangers: Peer[] = [];
  readonly #onExit: () => void;
  #keepsFiles = false;

  /** @param env what all agents are started with */
  constructor(count: number, env: Readonly<Record<string, string>> = {}) {
    this.dir = mkdtempSync(join(tmpdir(), 'kith-cluster-'));
    this.peers = NAMES.slice(0, count).map((name) => new Peer(join(this.dir, name), name, env));
    this.#goInStep();
    // A test run that is cut short leaves no agents behind.
    this.#onExit = () => this.killAll();
    process.once('exit', this.#onExit);
  }

  /** The first founds, the others join by its invites; resolves when every one sees all alive. */
  async start(): Promise<void> {
    const [first, ...others] = this.peers;
    if (first === undefined) throw new Error('A cluster has at least one peer');
    await first.start();
    for (const other of others) await other.start({ args: ['--join', await inviteOf(first)] });
    await this.allAlive();
  }

  /** The peer of a name, as in `cluster.peer('birch')`. */
  peer(name: (typeof NAMES)[number]): Peer {
    const found = this.peers.find((peer) => peer.name === name);
    if (found === undefined) throw new Error(`No peer "${name}" in this cluster`);
    return found;
  }

  /** One more host beside the cluster, not started yet, that ends with it. */
  stranger(name: string): Peer {
    const peer = new Peer(join(this.dir, name), name);
    this.#strangers.push(peer);
    this.#goInStep();
    return peer;
  }

  #goInStep(): void {
    const steps = new InStep(this.#all());
    for (const peer of this.#all()) peer.steps = steps;
  }

  /** Waits until each of these peers sees exactly these alive. */
  async allAlive(peers: readonly Peer[] = this.peers): Promise<void> {
    const expected = peers.map(({ id }) => id).toSorted();
    for (const peer of peers) {
      await eventually(
        async () => {
          const alive = (await peer.peers()).filter(({ state }) => state === 'alive').map(({ id }) => id);
          if (JSON.stringify(alive.toSorted()) === JSON.stringify(expected)) return true;
          throw new Error(`"${peer.name}" sees ${alive.length} alive, not ${expected.length}`);
        },
        { withinMs: WAIT_MS, everyMs: 100 },
      );
    }
  }

  /** Prints what the agents said last, and leaves their folders for whoever looks. */
  reportFailure(what: string): void {
    this.#keepsFiles = true;
    for (const peer of this.#all()) {
      process.stderr.write(
        `\n--- "${peer.name}" when "${what}" failed (${peer.dir}.log)\n${peer.logTail()}\n`,
      );
    }
  }

  killAll(): void {
    for (const peer of this.#all()) peer.kill();
  }

  #all(): readonly Peer[] {
    return [...this.peers, ...this.#strangers];
  }

  /** Tests have nothing to hand over: all hosts go at once. */
  [Symbol.dispose](): void {
    process.off('exit', this.#onExit);
    this.killAll();
    if (!this.#keepsFiles) rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A cluster of so many peers, up and seeing each other. */
export async function startCluster(count: number): Promise<Cluster> {
  const cluster = new Cluster(count);
  try {
    await cluster.start();
    return cluster;
  } catch (error) {
    cluster.reportFailure('starting the cluster');
    cluster[Symbol.dispose]();
    throw error;
  }
}

/** One cluster for all tests of a file (call it at the top level): started before the first, gone after the last. */
export function useCluster(count: number, env: Readonly<Record<string, string>> = {}): Cluster {
  const cluster = new Cluster(count, env);
  beforeAll(async () => {
    try {
      await cluster.start();
    } catch (error) {
      cluster.reportFailure('starting the cluster');
      throw error;
    }
  }, START_MS);
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') cluster.reportFailure(task.name);
  });
  afterAll(() => cluster[Symbol.dispose]());
  return cluster;
}

/** A token that lets one more peer in. */
export async function inviteOf(peer: Peer): Promise<string> {
  return (await peer.kith(['invite'])).trim().split('\n').at(-1) ?? '';
}
