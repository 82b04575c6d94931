import { createHash } from 'node:crypto';
import type {
  AddonId,
  AppId,
  AttachmentId,
  BlobId,
  DrainId,
  PipelineId,
  PromotionId,
} from '../../src/ids.ts';
import { liveAddons, varsOf } from '../../src/ledger/addons/attachments.ts';
import type { Command, CommandResult } from '../../src/ledger/command.ts';
import { PORT_NUMBER_MIN } from '../../src/ledger/ports/port-types.ts';
import type { ClockQueue } from './clock-queue.ts';
import type { Random } from './random.ts';
import type { SimPeer } from './sim-peer.ts';

export type Asked = {
  readonly id: string;
  readonly command: Command;
  readonly at: SimPeer;
  /** Which run of its agent was asked. */
  readonly run: number;
  result: CommandResult | null;
};

const APPS_MAX = 4;
const DRAIN_EVERY = 9;
const ADDON_EVERY = 5;
const PORT_EVERY = 13;
/** So few that two sides of a split now and then give one twice. */
const ADDON_NAMES = 8;
const PORT_NUMBERS = 3;

/** People at the keyboard: random commands at random peers, some of them repeated with the same Request-Id. */
export class Workload {
  readonly asked = new Map<string, Asked>();
  readonly #clock: ClockQueue;
  readonly #random: Random;
  readonly #peers: readonly SimPeer[];
  #made = 0;
  #isOver = false;

  constructor(clock: ClockQueue, random: Random, peers: readonly SimPeer[]) {
    this.#clock = clock;
    this.#random = random;
    this.#peers = peers;
  }

  /** Asks every `everyMs` or so, until `stop`. */
  run(everyMs: number): void {
    if (this.#isOver) return;
    const peer = this.#random.pick(this.#peers.filter((candidate) => candidate.isRunning()));
    if (peer !== undefined) {
      const command = this.#invent(peer);
      if (command !== null) this.#ask(peer, command);
    }
    this.#clock.after(this.#random.between(everyMs * 0.3, everyMs * 1.7), () => this.run(everyMs));
  }

  stop(): void {
    this.#isOver = true;
  }

  answered(id: string, result: CommandResult): void {
    const asked = this.asked.get(id);
    if (asked === undefined) return;
    if (asked.result !== null) throw new Error(`Command "${asked.command.type}" was answered twice`);
    asked.result = result;
  }

  /**
   * Op ids of writes that were acknowledged: these must never be lost. What a removed peer wrote by itself, after the
   * cut that its removal made, never happened.
   */
  acknowledged(): string[] {
    const outcasts = this.#peers.filter(({ standing }) => standing === 'removed');
    const isVoid = (op: string): boolean =>
      outcasts.some(({ disk, peer }) => disk.get(op)?.op.author === peer) &&
      !this.#peers.some((peer) => peer.standing === 'member' && peer.disk.has(op));
    return [...this.asked.values()]
      .flatMap(({ result }) => (result?.ok === true ? result.ops : []))
      .filter((op) => !isVoid(op));
  }

  #ask(peer: SimPeer, command: Command): void {
    const request = `req-${this.#made}`;
    const ask = (at: SimPeer): void => {
      const id = `${this.asked.size}`;
      this.asked.set(id, { id, command, at, run: at.run, result: null });
      at.dispatch({ tag: 'command', id, command, context: { user: 'ann@example.com', request } });
    };
    ask(peer);
    if (!this.#random.chance(0.1)) return;
    this.#clock.after(this.#random.between(10, 500), () => {
      const other = this.#random.pick(this.#peers.filter((candidate) => candidate.isRunning()));
      if (other !== undefined) ask(other);
    });
  }

  #invent(peer: SimPeer): Command | null {
    const { view } = peer.state.fold;
    const apps = [...view.names.values()];
    const app = this.#random.pick(apps);
    this.#made += 1;
    if (app === undefined || (apps.length < APPS_MAX && this.#random.chance(0.15))) {
      const name = this.#random.chance(0.3) ? 'blog' : `app-${this.#random.int(1, 6)}`;
      return { type: 'app.create', app: this.#uuid(), name, fallbackName: name };
    }
    const kind = this.#random.unit();
    if (this.#made % DRAIN_EVERY === 0) return this.#drain(peer, app);
    if (this.#made % PORT_EVERY === 0) return this.#port(peer, app);
    if (this.#made % ADDON_EVERY === 0) return this.#addon(peer, app);
    if (kind < 0.3) return this.#deploy(peer, app);
    if (kind < 0.55) {
      const value = this.#random.chance(0.15)
        ? null
        : new Uint8Array([1, this.#random.int(0, 255), this.#made & 255]);
      return { type: 'config.patch', app, config: { [`KEY_${this.#random.int(1, 4)}`]: value } };
    }
    if (kind < 0.78) return this.#scale(app);
    if (kind < 0.83) return { type: 'formation.restart', app, process: null, index: null };
    if (kind >= 0.89) return this.#promote(peer, app);
    const releases = [...(view.apps.get(app)?.releases.values() ?? [])].filter(
      (release) => release.slug !== null,
    );
    const target = this.#random.pick(releases);
    return target === undefined ? null : { type: 'release.rollback', app, to: target.id };
  }

  /** A drain more, or every other time one less: work that some peer has to do for all. */
  #drain(peer: SimPeer, app: AppId): Command {
    const [found] = [...(peer.state.fold.view.apps.get(app)?.drains.keys() ?? [])];
    if (found !== undefined && this.#made % (2 * DRAIN_EVERY) === 0) {
      return { type: 'drain.remove', app, drain: found };
    }
    const drain = uuidFrom(`drain ${this.#made}`) as DrainId;
    const url = new Uint8Array([2, this.#made & 255, this.#made >> 8]);
    return { type: 'drain.add', app, drain, token: `d.${drain}`, url, addon: null };
  }

  /** Opens the workers of an app, most of the time at a number that others want too, or closes them. */
  #port(peer: SimPeer, app: AppId): Command {
    const [open] = peer.state.fold.view.apps.get(app)?.ports.keys() ?? [];
    if (open !== undefined) return { type: 'port.close', app, process: open };
    const number = this.#random.chance(0.3) ? null : PORT_NUMBER_MIN + this.#random.int(1, PORT_NUMBERS);
    return { type: 'port.open', app, process: 'worker', number };
  }

  /** An add-on more, or something that is done to one: most of it is work for some peer, and then for a provider. */
  #addon(peer: SimPeer, app: AppId): Command {
    const { view } = peer.state.fold;
    const addon = this.#random.pick(liveAddons(view));
    const kind = this.#random.unit();
    if (addon === undefined || kind < 0.35) {
      const fresh = uuidFrom(`addon ${this.#made}`) as AddonId;
      return {
        type: 'addon.create',
        app,
        addon: fresh,
        name: `acme-redis-${(this.#made / ADDON_EVERY) % ADDON_NAMES}`,
        service: 'acme-redis',
        plan: 'mini',
        prefix: 'REDIS',
        willSet: [],
        options: new Uint8Array([3]),
        attachment: { id: uuidFrom(`attachment ${this.#made}`) as AttachmentId, name: `R${this.#made}` },
        confirm: null,
      };
    }
    const of = { app: addon.app, addon: addon.id };
    if (kind < 0.55) return { type: 'addon.destroy', ...of, force: true, reason: null };
    if (kind < 0.65) return { type: 'addon.plan', ...of, plan: addon.plan === 'mini' ? 'big' : 'mini' };
    if (kind < 0.8) {
      return { type: 'addon.config', ...of, config: { REDIS_URL: new Uint8Array([3, this.#made & 255]) } };
    }
    const name = `S${this.#made}`;
    return {
      type: 'attachment.add',
      app,
      attachment: uuidFrom(`attachment ${this.#made}`) as AttachmentId,
      addon: addon.id,
      name,
      namespace: null,
      confirm: null,
      version: addon.configVersion,
      vars: Object.fromEntries(varsOf(addon, [{ name }]).map((each) => [each.name, each.value])),
    };
  }

  /**
   * The slug lies on the peer that built it and on two others, as replication leaves it: also where they all have just gone down,
   * for one copy goes with its peer when that is removed, and nobody could run the release.
   */
  #deploy(peer: SimPeer, app: AppId): Command {
    const id = createHash('sha256').update(`slug ${this.#made}`).digest('hex') as BlobId;
    const others = this.#peers
      .filter((other) => other !== peer && other.standing === 'member')
      .sort((a, b) => Number(b.isRunning()) - Number(a.isRunning()));
    for (const holder of [peer, ...others.slice(0, 2)]) {
      holder.disk.blobs.add(id);
      holder.dispatch({ tag: 'blobs', held: [...holder.disk.blobs].sort() });
    }
    const slug = {
      id,
      bytes: 1_000,
      arch: 'x64',
      stack: 'kith',
      processTypes: {
        web: 'run web',
        worker: 'run worker',
        ...(this.#made % 3 === 0 ? { release: 'run release' } : {}),
      },
      commit: id.slice(0, 40),
      buildpack: null,
      source: null,
    };
    return { type: 'release.deploy', app, slug, description: `Deploy ${id.slice(0, 8)}` };
  }

  /** One pipeline for all: apps come into it one by one, and then what one runs is promoted to the others. */
  #promote(peer: SimPeer, app: AppId): Command {
    const { view } = peer.state.fold;
    const pipeline = [...view.pipelines.keys()].sort()[0];
    if (pipeline === undefined) {
      const fresh = uuidFrom(`pipeline ${this.#made}`) as PipelineId;
      return { type: 'pipeline.set', pipeline: fresh, name: 'pipeline' };
    }
    const isIn = (id: AppId): boolean => view.apps.get(id)?.coupling?.pipeline === pipeline;
    if (!isIn(app)) {
      const stage = this.#made % 2 === 0 ? 'staging' : 'production';
      return { type: 'coupling.set', app, coupling: { pipeline, stage } };
    }
    const targets = [...view.names.values()].filter((id) => id !== app && isIn(id));
    const promotion = uuidFrom(`promotion ${this.#made}`) as PromotionId;
    return { type: 'promotion.create', promotion, pipeline, source: app, targets };
  }

  #scale(app: AppId): Command {
    const type = this.#random.chance(0.6) ? 'web' : 'worker';
    return { type: 'formation.scale', app, updates: [{ type, quantity: this.#random.int(0, 3) }] };
  }

  #uuid(): AppId {
    return uuidFrom(`app ${this.#made}`) as AppId;
  }
}

function uuidFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
