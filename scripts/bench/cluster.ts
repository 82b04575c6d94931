import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentProcess } from '../lib/agent-process.ts';
import { kith, must } from '../lib/kith.ts';
import { askApi } from '../lib/peer-api.ts';

const READY_MS = 120_000;
const LOOK_MS = 100;
const DYING_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export type BenchRuntime = 'process' | 'docker';

/** Real agents on loopback, joined into one cluster; gone with their files when it is disposed. */
export class BenchCluster implements AsyncDisposable {
  readonly dir: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #agents: AgentProcess[] = [];
  readonly #onSignal = (): void => {
    void Promise.allSettled(this.#agents.map((agent) => agent.stop())).then(() => process.exit(1));
  };

  private constructor(dir: string, runtime: BenchRuntime) {
    this.dir = dir;
    this.#env = { KITH_RUNTIME: runtime };
    for (const signal of DYING_SIGNALS) process.on(signal, this.#onSignal);
  }

  static async start(count: number, runtime: BenchRuntime = 'process'): Promise<BenchCluster> {
    const cluster = new BenchCluster(mkdtempSync(join(tmpdir(), 'kith-bench-')), runtime);
    try {
      for (let index = 0; index < count; index += 1) await cluster.#add(index);
      await cluster.#met();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get agents(): readonly AgentProcess[] {
    return this.#agents;
  }

  /** A peer whose host was killed comes back, on its old disk and ports. */
  async restart(agent: AgentProcess): Promise<AgentProcess> {
    const again = await AgentProcess.start({ dir: agent.dir, name: agent.name, env: this.#env });
    this.#agents[this.#agents.indexOf(agent)] = again;
    return again;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of DYING_SIGNALS) process.off(signal, this.#onSignal);
    await Promise.all(this.#agents.map((agent) => agent.killHost()));
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  async #add(index: number): Promise<void> {
    const name = `p${index + 1}`;
    const [first] = this.#agents;
    const args =
      first === undefined
        ? []
        : [
            '--join',
            must(await kith(first.dir, ['invite']))
              .stdout.trim()
              .split('\n')
              .at(-1) ?? '',
          ];
    this.#agents.push(await AgentProcess.start({ dir: join(this.dir, name), name, args, env: this.#env }));
  }

  /** Every peer sees every other alive. */
  async #met(): Promise<void> {
    await waitFor('the peers to see each other', READY_MS, LOOK_MS, async () => {
      for (const agent of this.#agents) {
        const peers = (await askApi(agent, 'GET', '/kith/peers')) as { state: string }[];
        if (peers.filter(({ state }) => state === 'alive').length < this.#agents.length) return false;
      }
      return true;
    });
  }
}

/** Asks again and again. Throws when `isTrue` has not come true in time; what it throws counts as false. */
export async function waitFor(
  what: string,
  withinMs: number,
  everyMs: number,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      if (await isTrue()) return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    if (performance.now() > deadline) throw new Error(`Waited ${withinMs / 1_000} s for ${what}`);
    await sleep(everyMs);
  }
}
