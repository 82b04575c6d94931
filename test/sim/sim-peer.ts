import { createHash } from 'node:crypto';
import type { ClusterId, Epoch, PeerId } from '../../src/ids.ts';
import type { CommandResult } from '../../src/ledger/command.ts';
import type { Duty } from '../../src/ledger/duty.ts';
import { promotionOf } from '../../src/ledger/pipelines/pipeline-duties.ts';
import { RELEASE_TYPE } from '../../src/ledger/releases/release-status.ts';
import { createSigner, type Signer } from '../../src/ledger/signing.ts';
import { createPeer } from '../../src/peer/create.ts';
import type { PeerEffect } from '../../src/peer/effects.ts';
import type { PeerEvent } from '../../src/peer/events.ts';
import { holdersIn } from '../../src/peer/holders.ts';
import { nextWake, stepPeer } from '../../src/peer/machine.ts';
import type { GossipMessage, PeerMessage } from '../../src/peer/messages.ts';
import type { PeerState } from '../../src/peer/state.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import { volumesOf } from '../../src/placement/wanted.ts';
import type { Now, Step } from '../../src/step.ts';
import type { ClockQueue } from './clock-queue.ts';
import { Disk, epochOf } from './disk.ts';
import type { Endpoint, Network } from './network.ts';
import type { Random } from './random.ts';
import { SimAddons } from './sim-addons.ts';
import type { SimProvider } from './sim-addons.ts';
import { SimRuntime } from './sim-runtime.ts';

/** What the cluster takes this peer for; only members count at the end. */
export type Standing = 'stranger' | 'member' | 'removed';

export type HostState = 'running' | 'agent-down' | 'host-down' | 'power-off';

export type SimPeerOptions = {
  readonly index: number;
  readonly seed: number;
  readonly cluster: ClusterId;
  readonly clock: ClockQueue;
  readonly network: Network;
  readonly random: Random;
  readonly provider: SimProvider;
  readonly find: (peer: PeerId) => SimPeer | undefined;
  readonly onAnswer: (peer: SimPeer, id: string, result: CommandResult) => void;
  /** Sees a peer before its agent starts, and each message before it leaves. */
  readonly onStart: (peer: SimPeer) => void;
  readonly onStarted: (peer: SimPeer) => void;
  readonly onSend: (peer: SimPeer, message: PeerMessage | GossipMessage) => void;
  /** Sees each step: what the invariants that hold at every moment are checked on. */
  readonly onStep: (peer: SimPeer, before: PeerState, effects: readonly PeerEffect[]) => void;
};

/** One simulated host: the real machine, with a disk, dynos and a clock that faults may bend. */
export class SimPeer implements Endpoint {
  readonly signer: Signer;
  readonly peer: PeerId;
  readonly disk = new Disk();
  readonly runtime: SimRuntime;
  hostState: HostState = 'power-off';
  standing: Standing = 'stranger';
  /** Its disk was put back to an earlier state, or damaged: what it said before may be unsaid. Cleared at the start. */
  isRestored = false;
  /** The state when the machine last said that its routes have changed: what the router works with. */
  routesOf: PeerState | null = null;
  /** What its shell was last told to do for all. */
  duties: readonly Duty[] = [];
  wallSkewMs = 0;
  diskDelayMs = 1;
  /** Virtual time until which the agent's event loop stands still. */
  stalledUntil = 0;
  #stalledAt = 0;
  /** It has said good-bye: an agent ends then. */
  hasLeft = false;
  steps = 0;
  readonly #options: SimPeerOptions;
  #state: PeerState | null = null;
  /** Names one run of the agent: what a dead one had planned does not happen. */
  #run = 0;
  /** Events that came while the event loop stood still. */
  #held: PeerEvent[] = [];
  #startedAt = 0;
  #wakeAt = Infinity;
  #ordered: PeerEffect[] = [];
  #isDraining = false;
  #isPromoting = false;
  #addons: SimAddons | null = null;
  /** Who waits for the answers to commands of this agent's own. */
  readonly #hearing = new Map<string, (result: CommandResult) => void>();
  /** Calls that wait for what was ordered before them to be durable. */
  #waiting: (() => void)[] = [];
  /** Release commands that run, and what they mount, by attempt. */
  readonly #releasing = new Map<string, { readonly run: number; readonly volumes: readonly SlotVolume[] }>();
  #writing: (PeerEffect & { tag: 'persist' }) | null = null;

  constructor(options: SimPeerOptions) {
    this.#options = options;
    this.signer = createSigner(createHash('sha256').update(`sim peer ${options.index}`).digest());
    this.peer = this.signer.peer;
    this.runtime = new SimRuntime(options.clock, options.random, this.disk, (from, slug) => {
      const holder = options.find(from);
      const isReachable = !options.network.isCut(from, this.peer) && !options.network.isCut(this.peer, from);
      return (
        holder !== undefined && isReachable && holder.isRunning() && holder.disk.blobs.has(slug as never)
      );
    });
  }

  get state(): PeerState {
    if (this.#state === null) throw new Error(`Peer ${this.#options.index} does not run`);
    return this.#state;
  }

  get name(): string {
    return `p${this.#options.index}`;
  }

  isRunning(): boolean {
    return this.hostState === 'running';
  }

  start(): void {
    if (this.isRunning()) return;
    const { clock, network, cluster, seed, index } = this.#options;
    this.hostState = 'running';
    this.hasLeft = false;
    this.#options.onStart(this);
    this.#run += 1;
    this.#startedAt = clock.now;
    this.#wakeAt = Infinity;
    this.#ordered = [];
    this.#isDraining = false;
    this.#writing = null;
    this.#waiting = [];
    this.routesOf = null;
    this.duties = [];
    this.#held = [];
    this.#isPromoting = false;
    this.#addons?.end();
    this.#addons = this.#newAddons();
    network.processStarted(this.peer);
    const run = this.#run;
    const incarnation = Number(this.disk.records.get('incarnation') ?? 0) + 1;
    const epoch = (this.disk.records.get('epoch') ?? epochOf(this.peer, seed)) as Epoch;
    this.disk.write([], { incarnation, epoch });
    const tellAvailable = (on: boolean, reason: string): void => {
      if (this.#run === run && this.isRunning()) this.dispatch({ tag: 'runtime', on, reason });
    };
    const adopted = this.runtime.attach((dyno, event) => {
      if (this.#run !== run || !this.isRunning()) return;
      if (event.tag === 'slug' && event.ok)
        this.dispatch({ tag: 'blobs', held: [...this.disk.blobs].sort() });
      this.dispatch({ tag: 'dyno', dyno, event });
    }, tellAvailable);
    const first = createPeer(
      {
        signer: this.signer,
        cluster,
        incarnation,
        name: this.name,
        version: '1',
        arch: 'x64',
        runtime: 'process',
        isolation: 'none',
        labels: {},
        addrs: {
          mesh: [`/ip4/127.0.0.${index + 1}/tcp/6001`],
          api: `a${index}:1`,
          http: `h${index}:1`,
          proxy: `x${index}:1`,
        },
        capacity: { memoryMiB: 16_384, cpus: 4 },
      },
      {
        seed: seed * 1_000 + index * 10 + this.#run,
        epoch,
        ops: this.disk.all(),
        addresses: new Map(Object.entries(this.disk.records.get('addresses') ?? {}) as [PeerId, string[]][]),
        adopted,
        blobs: [...this.disk.blobs].sort(),
      },
      this.now(),
    );
    this.#after(first);
    this.#options.onStarted(this);
  }

  /** Names this run of the agent. */
  get run(): number {
    return this.#run;
  }

  /**
   * Ends the agent at this very moment; what it had not synced is lost. A batch that was being written is there whole
   * or not at all, and nobody was told in either case.
   */
  crash(to: Exclude<HostState, 'running'>): void {
    if (to !== 'agent-down') this.runtime.killAll();
    if (!this.isRunning()) {
      this.hostState = to;
      return;
    }
    this.hostState = to;
    this.#run += 1;
    this.#state = null;
    if (this.#writing !== null && this.#options.random.chance(0.4)) {
      this.disk.write(this.#writing.ops, this.#writing.records);
    }
    this.#writing = null;
    this.#options.network.processGone(this.peer, to === 'power-off');
  }

  now(): Now {
    const { clock } = this.#options;
    return {
      mono: clock.now - this.#startedAt,
      wall: Math.floor(1_700_000_000_000 + clock.now + this.wallSkewMs),
    };
  }

  /** As the mesh's gate: the machine's last `members` effect says who is let in. */
  admits(peer: PeerId): boolean {
    return this.#state?.fold.view.members.get(peer)?.state === 'member';
  }

  onConnected(peer: PeerId): void {
    this.dispatch({ tag: 'connected', peer });
  }

  onDisconnected(peer: PeerId): void {
    this.dispatch({ tag: 'disconnected', peer });
  }

  deliver(from: PeerId, message: unknown): void {
    this.dispatch({ tag: 'message', from, message: message as PeerMessage });
  }

  gossiped(from: PeerId, message: unknown): void {
    this.dispatch({ tag: 'gossip', from, message: message as GossipMessage });
  }

  dispatch(event: PeerEvent): void {
    if (this.#state === null) return;
    const { clock } = this.#options;
    if (clock.now < this.stalledUntil || this.#held.length > 0) {
      this.#held.push(event);
      if (this.#held.length === 1) this.#thawLater();
      return;
    }
    this.#step(event);
  }

  /** What came meanwhile is taken in the order that it came in. */
  #thawLater(): void {
    const { clock } = this.#options;
    const run = this.#run;
    clock.after(Math.max(0, this.stalledUntil - clock.now), () => {
      if (this.#run !== run) return;
      if (clock.now < this.stalledUntil) return this.#thawLater();
      this.#takeHeld();
    });
  }

  #takeHeld(): void {
    const run = this.#run;
    for (const event of this.#held.splice(0)) if (this.#run === run) this.#step(event);
  }

  #step(event: PeerEvent): void {
    if (this.#state === null) return;
    if (event.tag === 'leave') this.hasLeft = true;
    this.steps += 1;
    const before = this.#state;
    const next = stepPeer(before, event, this.now());
    this.#after(next, before);
  }

  /** Calls back when all that the machine wants stored is stored; never if the agent ends before. */
  onceDurable(run: () => void): void {
    if (this.#isDraining) this.#waiting.push(run);
    else run();
  }

  /** The agent stands still; when that ends, its loop notices how late its timers are. */
  stall(ms: number): void {
    const { clock } = this.#options;
    this.#stalledAt = clock.now;
    this.stalledUntil = clock.now + ms;
    clock.after(ms, () => {
      if (ms > 1_000 && this.stalledUntil > 0) this.dispatch({ tag: 'lag', ms });
    });
  }

  /** Ends a stall before its time. */
  thaw(): void {
    const { clock } = this.#options;
    if (clock.now >= this.stalledUntil) return;
    this.stalledUntil = 0;
    this.#takeHeld();
    const ms = clock.now - this.#stalledAt;
    if (ms > 1_000) this.dispatch({ tag: 'lag', ms });
  }

  #after(next: Step<PeerState, PeerEffect>, before: PeerState = next.state): void {
    this.#state = next.state;
    this.#carryOut(next.effects);
    this.#options.onStep(this, before, next.effects);
    this.#schedule();
    const self = next.state.fold.view.members.get(this.peer);
    // As the agent does: see agent/peer/background.ts.
    if (self?.state === 'removed' && !next.state.stopping) this.dispatch({ tag: 'stopAll' });
  }

  #schedule(): void {
    if (this.#state === null) return;
    const wakeAt = nextWake(this.#state);
    if (wakeAt >= this.#wakeAt && this.#wakeAt > this.now().mono) return;
    this.#wakeAt = wakeAt;
    const run = this.#run;
    const delay = Math.min(Math.max(1, wakeAt - this.now().mono), 60_000);
    this.#options.clock.after(delay, () => {
      if (this.#run !== run || this.#wakeAt !== wakeAt) return;
      this.#wakeAt = Infinity;
      this.dispatch({ tag: 'wake' });
    });
  }

  /** In the agent's own order: see agent/peer/peer-loop.ts. */
  #carryOut(effects: readonly PeerEffect[]): void {
    const persists = effects.some((effect) => effect.tag === 'persist');
    for (const effect of effects) {
      const overtakes =
        effect.tag !== 'gossip' &&
        effect.tag !== 'answer' &&
        effect.tag !== 'release' &&
        effect.tag !== 'duties' &&
        (effect.tag !== 'send' || effect.message.t === 'swim' || effect.message.t === 'digest');
      const waits = persists || !overtakes;
      if (effect.tag === 'persist' || effect.tag === 'sendOps' || (waits && this.#isDraining)) {
        this.#ordered.push(effect);
        if (!this.#isDraining) this.#drain();
      } else {
        this.#perform(effect);
      }
    }
  }

  #drain(): void {
    this.#isDraining = true;
    const effect = this.#ordered.shift();
    if (effect === undefined) {
      this.#isDraining = false;
      for (const run of this.#waiting.splice(0)) run();
      return;
    }
    if (effect.tag !== 'persist') {
      this.#perform(effect);
      this.#drain();
      return;
    }
    const run = this.#run;
    const { clock, random } = this.#options;
    this.#writing = effect;
    clock.after(random.between(0.1, this.diskDelayMs), () => {
      if (this.#run !== run) return;
      this.#writing = null;
      this.disk.write(effect.ops, effect.records);
      this.#drain();
    });
  }

  #holders(blob: string): readonly PeerId[] {
    return holdersIn(this.state, blob);
  }

  /** What the release commands mount that run now. */
  releaseVolumes(): readonly (readonly SlotVolume[])[] {
    const running = [...this.#releasing.values()].filter(({ run }) => run === this.#run);
    return this.isRunning() ? running.map(({ volumes }) => volumes) : [];
  }

  /** A release command: how long it takes and how it ends follow from the attempt, so that no other draw changes. */
  #runRelease({ app, release, attempt }: PeerEffect & { tag: 'release' }): void {
    const run = this.#run;
    const { clock } = this.#options;
    const fate = createHash('sha256').update(attempt).digest();
    const of = this.state.fold.view.apps.get(app);
    const volumes = of === undefined ? [] : volumesOf(of, RELEASE_TYPE);
    // As the agent refuses to start it.
    const isAstray = volumes.some(({ peer, stopped }) => peer !== this.peer || stopped !== null);
    const status = isAstray || fate.readUInt8(0) < 64 ? 'failed' : 'succeeded';
    if (!isAstray) this.#releasing.set(attempt, { run, volumes });
    const settle = (): void => {
      if (this.#run !== run) return;
      this.#releasing.delete(attempt);
      const found = this.state.fold.view.apps.get(app)?.releases.get(release);
      const slug = found?.slug?.id;
      if (found?.status !== 'pending' || slug === undefined || found.attempts.at(-1)?.id !== attempt) return;
      const command = {
        type: 'release.settle',
        app,
        release,
        slug,
        status,
        output: null,
        reason: null,
      } as const;
      const id = `settle ${attempt} ${clock.now}`;
      this.dispatch({ tag: 'command', id, command, context: { user: 'kith', request: null } });
      clock.after(10_000, settle);
    };
    clock.after(20 + fate.readUInt16BE(1) / 16, settle);
  }

  #newAddons(): SimAddons {
    const run = this.#run;
    const { clock, random, provider } = this.#options;
    let asked = 0;
    return new SimAddons({
      clock,
      random,
      provider,
      view: () => this.state.fold.view,
      duties: () => (this.#run === run && this.isRunning() ? this.duties : []),
      command: (command, then) => {
        if (this.#run !== run || !this.isRunning()) return;
        asked += 1;
        const id = `addon ${this.name} ${run} ${asked}`;
        if (then !== undefined) this.#hearing.set(id, then);
        this.dispatch({ tag: 'command', id, command, context: { user: 'kith', request: null } });
      },
    });
  }

  /** Carries out the promotions that are this peer's duty, as the agent does: each try is safe to repeat. */
  #promote(): void {
    const run = this.#run;
    const { clock } = this.#options;
    const { view } = this.state.fold;
    const mine = this.duties.flatMap((duty) =>
      duty.kind === 'promotion' ? (view.promotions.get(promotionOf(duty)) ?? []) : [],
    );
    for (const { promotion, targets } of mine) {
      for (const app of targets) {
        const id = `promote ${promotion} ${app} ${this.name} ${clock.now}`;
        const command = { type: 'release.promote', app, promotion } as const;
        clock.after(5, () => {
          if (this.#run === run)
            this.dispatch({ tag: 'command', id, command, context: { user: 'kith', request: null } });
        });
      }
    }
    if (mine.length === 0 || this.#isPromoting) return;
    this.#isPromoting = true;
    clock.after(1_000, () => {
      if (this.#run !== run) return;
      this.#isPromoting = false;
      this.#promote();
    });
  }

  #perform(effect: PeerEffect): void {
    const { network, find, clock, onAnswer, onSend } = this.#options;
    switch (effect.tag) {
      case 'send':
        onSend(this, effect.message);
        network.send(this.peer, effect.to, effect.message);
        break;
      case 'sendOps': {
        const ops = effect.ranges.flatMap((range) => this.disk.range(range));
        if (ops.length > 0) onSend(this, { t: 'ops', ops });
        if (ops.length > 0) network.send(this.peer, effect.to, { t: 'ops', ops });
        break;
      }
      case 'gossip':
        onSend(this, effect.message);
        network.gossip(this.peer, effect.message);
        break;
      case 'answer':
        onAnswer(this, effect.id, effect.result);
        this.#hearing.get(effect.id)?.(effect.result);
        this.#hearing.delete(effect.id);
        break;
      case 'probePorts': {
        const { peer } = effect.target;
        const target = find(peer);
        const isCut = network.isCut(this.peer, peer) || network.isCut(peer, this.peer);
        const isDark = isCut || target === undefined || target.hostState === 'power-off';
        const agent = isDark ? 'timeout' : target.isRunning() ? 'open' : 'refused';
        const router = isDark ? 'timeout' : target.hostState === 'host-down' ? 'refused' : 'open';
        const run = this.#run;
        clock.after(isDark ? 400 : 2, () => {
          if (this.#run === run) this.dispatch({ tag: 'ports', peer, agent, router });
        });
        break;
      }
      case 'dyno':
        this.runtime.perform(effect.life, effect.effect, this.#holders(effect.life.slot.slug));
        break;
      case 'removeDyno':
        this.runtime.remove(effect.dyno);
        break;
      case 'warm':
        this.runtime.fetch(effect.slot.slug, this.#holders(effect.slot.slug), () =>
          this.dispatch({ tag: 'blobs', held: [...this.disk.blobs].sort() }),
        );
        break;
      case 'release':
        this.#runRelease(effect);
        break;
      case 'members':
        network.keepOnly(this.peer, new Set(effect.members.map(({ peer }) => peer)));
        break;
      case 'duties':
        this.duties = effect.duties;
        this.#addons?.work();
        this.#promote();
        break;
      case 'routes':
        this.routesOf = this.#state;
        break;
      default:
        break;
    }
  }
}
