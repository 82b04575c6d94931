import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { phaseOf } from '../../src/dynos/life.ts';
import type { AppId, BlobId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Command, CommandResult } from '../../src/ledger/command.ts';
import type { SimPeer } from './sim-peer.ts';
import { Sim } from './sim.ts';
import { cutOff } from './strikes-network.ts';

/** A cluster in which nothing goes wrong but what the test does to it. */
export class Stage {
  readonly sim: Sim;
  #asked = 0;

  constructor(peers: number, seed = 1) {
    this.sim = new Sim({ seed, peers, kinds: [] });
    this.sim.found();
  }

  get peers(): readonly SimPeer[] {
    return this.sim.peers;
  }

  peer(n: number): SimPeer {
    const peer = this.sim.peers[n];
    if (peer === undefined) throw new Error(`There is no peer ${n}`);
    return peer;
  }

  run(ms: number): void {
    this.sim.run(ms);
  }

  /** Runs until something is so; the virtual ms that it took. Fails the test when it is not so in time. */
  until(what: string, isSo: () => boolean, withinMs: number): number {
    const start = this.sim.clock.now;
    while (!isSo()) {
      if (this.sim.clock.now - start > withinMs) throw new Error(`Not so within ${withinMs} ms: ${what}`);
      this.run(10);
    }
    return this.sim.clock.now - start;
  }

  /** Asks a peer and does not wait. */
  ask(at: SimPeer, command: Command, request: string | null = null): () => CommandResult | null {
    const id = `stage-${(this.#asked += 1)}`;
    this.sim.workload.asked.set(id, { id, command, at, run: at.run, result: null });
    at.dispatch({ tag: 'command', id, command, context: { user: 'ann@example.com', request } });
    return () => this.sim.workload.asked.get(id)?.result ?? null;
  }

  /** Asks a peer and runs until it has answered well. */
  do(at: SimPeer, command: Command, request: string | null = null): readonly string[] {
    const result = this.ask(at, command, request);
    this.until(`${at.name} answers ${command.type}`, () => result() !== null, 15_000);
    const found = result();
    expect(found).toMatchObject({ ok: true });
    return found?.ok === true ? found.ops : [];
  }

  create(at: SimPeer, name: string): AppId {
    const hex = createHash('sha256').update(`${name} ${at.name}`).digest('hex');
    const app =
      `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` as AppId;
    this.do(at, { type: 'app.create', app, name, fallbackName: name });
    return app;
  }

  /** A release with a slug that lies on every disk. */
  deploy(
    at: SimPeer,
    app: AppId,
    text = 'one',
    request: string | null = null,
    types: Readonly<Record<string, string>> = {},
  ): readonly string[] {
    const id = createHash('sha256').update(text).digest('hex') as BlobId;
    for (const peer of this.peers) {
      peer.disk.blobs.add(id);
      peer.dispatch({ tag: 'blobs', held: [...peer.disk.blobs].sort() });
    }
    const command = {
      type: 'release.deploy',
      app,
      slug: {
        id,
        bytes: 1_000,
        arch: 'x64',
        stack: 'kith',
        processTypes: { web: 'run web', worker: 'run worker', ...types },
        commit: id.slice(0, 40),
        buildpack: null,
        source: null,
      },
      description: `Deploy ${text}`,
    } as const;
    return this.do(at, command, request);
  }

  /** An app with so many web dynos, all up. */
  deployed(name: string, web: number): AppId {
    const at = this.peer(0);
    const app = this.create(at, name);
    this.deploy(at, app);
    this.do(at, { type: 'formation.scale', app, updates: [{ type: 'web', quantity: web }] });
    this.until(`${web} dynos of ${name} are up`, () => this.up(app).length === web, 10_000);
    this.run(2_000);
    return app;
  }

  set(at: SimPeer, app: AppId, key: string, value: number, request: string | null = null): readonly string[] {
    return this.do(at, { type: 'config.patch', app, config: { [key]: Uint8Array.of(value) } }, request);
  }

  value(at: SimPeer, app: AppId, key: string): number | undefined {
    const found = this.app(at, app);
    const release = found.current === null ? undefined : found.releases.get(found.current);
    return release?.config.get(key)?.value?.[0];
  }

  app(at: SimPeer, app: AppId): App {
    const found = at.state.fold.view.apps.get(app);
    if (found === undefined) throw new Error(`${at.name} does not know the app`);
    return found;
  }

  /** Where its dynos are up, `p1 web.1` each, among hosts whose agent runs. */
  up(app: AppId): string[] {
    return this.peers
      .filter((peer) => peer.isRunning())
      .flatMap((peer) =>
        [...peer.state.dynos.values()]
          .filter((life) => life.slot.app === app && phaseOf(life) === 'up')
          .map((life) => `${peer.name} ${life.slot.type}.${life.slot.index}`),
      )
      .sort();
  }

  starts(peer?: SimPeer): number {
    const peers = peer === undefined ? this.peers : [peer];
    return peers.reduce((sum, { runtime }) => sum + runtime.starts, 0);
  }

  split(side: readonly SimPeer[]): void {
    cutOff(side, { peers: this.peers, network: this.sim.network });
  }

  heal(): void {
    this.sim.network.healAll();
  }
}
