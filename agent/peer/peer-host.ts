import { randomBytes, randomUUID } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '../../src/errors.ts';
import type { DynoUsage } from '../../src/dyno-usage.ts';
import type { AppId, OpId, PeerId } from '../../src/ids.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import type { Command, CommandContext } from '../../src/ledger/command.ts';
import type { Op, StoredOp } from '../../src/ledger/op.ts';
import { verifyReleases } from '../../src/ledger/verify.ts';
import type { View } from '../../src/ledger/view.ts';
import { apiLogLines, oneOffText } from '../../src/logs/api-lines.ts';
import { verdictOf } from '../../src/membership/membership.ts';
import { volumesOf } from '../../src/placement/wanted.ts';
import type {
  Collected,
  DynoPlace,
  OneOff,
  OneOffRequest,
  PeerHost,
  PeerStatus,
  SealOwner,
} from '../../src/shell/host.ts';
import type { Logs } from '../../src/shell/logs.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { ExecSpec } from '../../src/shell/runtime.ts';
import type { Store } from '../../src/shell/store.ts';
import { DEFAULT_SIZE, parseSize } from '../../src/dyno-sizes.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { callPeer } from '../lib/peer-call.ts';
import { peersWithRoom } from '../one-offs/choose-peer.ts';
import type { Inside } from '../one-offs/inside.ts';
import { mustBeFree } from '../one-offs/one-off-volumes.ts';
import { ONE_OFF_TYPE, type OneOffs } from '../one-offs/one-offs.ts';
import { copyRemotely, execRemotely } from '../one-offs/remote-inside.ts';
import { madeBefore } from '../one-offs/took-one-offs.ts';
import { startOnFirst, type RemoteRequest } from '../one-offs/remote-one-offs.ts';
import type { Commands } from './commands.ts';
import { formatInvite, hashSecret } from './invite-token.ts';
import type { PeerLoop } from './peer-loop.ts';
import { usageEverywhere } from './usage-calls.ts';
import type { UsageWatch } from './usage-watch.ts';

export const STOP_SERVICE = 'stop-one-off';
const STOP_MS = 5_000;
const DRAIN_MS_MAX = 10 * 60_000;
const DRAIN_LOOK_MS = 100;

export type PeerHostParts = {
  readonly loop: () => PeerLoop;
  readonly commands: Commands;
  readonly mesh: Mesh;
  readonly store: Store;
  readonly keys: DataKeys;
  readonly logs: Logs;
  readonly oneOffs: OneOffs;
  readonly inside: Inside;
  readonly usage: UsageWatch;
  readonly join: (token: string) => Promise<void>;
  readonly collect: () => Promise<Collected>;
};

/** The running peer, as API, git and builds see it. */
export class AgentHost implements PeerHost {
  readonly #parts: PeerHostParts;

  constructor(parts: PeerHostParts) {
    this.#parts = parts;
  }

  get self(): PeerId {
    return this.#parts.mesh.self;
  }

  view(): View {
    return this.#parts.loop().state.fold.view;
  }

  peers(): readonly PeerStatus[] {
    const { state } = this.#parts.loop();
    return [...state.fold.view.members.values()]
      .filter((member) => member.state === 'member')
      .map(({ peer }) =>
        peer === state.self
          ? { peer, verdict: 'alive', facts: { ...state.own, load: state.load } }
          : { peer, verdict: verdictOf(state.membership, peer), facts: state.facts.get(peer) ?? null },
      );
  }

  /** Other peers that are alive. */
  others(): readonly PeerId[] {
    return this.peers()
      .filter(({ verdict, peer }) => verdict === 'alive' && peer !== this.self)
      .map(({ peer }) => peer);
  }

  unplaced(): ReturnType<PeerHost['unplaced']> {
    return this.#parts.loop().state.unplaced;
  }

  async command(command: Command, context: CommandContext): Promise<readonly OpId[]> {
    const { loop, commands, logs } = this.#parts;
    const ops = await commands.run(loop(), command, context);
    if ('app' in command && ops.length > 0) {
      for (const text of apiLogLines(command, this.view(), ops, context.user)) {
        logs.append({ app: command.app, source: 'app', process: 'api', text });
      }
    }
    if (command.type === 'member.remove') await this.#rotateKey(context);
    return ops;
  }

  /** What a removed peer knows must not open what is written after it went. */
  async #rotateKey(context: CommandContext): Promise<void> {
    const key = this.#parts.keys.create();
    await this.command({ type: 'key.rotate', key }, context);
  }

  async op(id: OpId): Promise<Op | null> {
    for await (const stored of this.#stored()) if (stored.id === id) return stored.op;
    return null;
  }

  async verify(app: AppId): Promise<{ checked: number; problems: readonly string[] }> {
    const found = this.view().apps.get(app);
    if (found === undefined) throw noApp();
    const problems: string[] = [];
    const ops: StoredOp[] = [];
    for await (const stored of this.#stored((reason) => problems.push(reason))) ops.push(stored);
    const result = verifyReleases(found, ops);
    return { checked: result.checked, problems: [...problems, ...result.problems] };
  }

  async *#stored(onCorrupt: (reason: string) => void = () => {}): AsyncGenerator<StoredOp> {
    const { store } = this.#parts;
    for await (const bytes of store.all((key, reason) => onCorrupt(`Stored op "${key}": ${reason}`))) {
      yield decodeOp(bytes);
    }
  }

  seal(owner: SealOwner, key: string, value: string): Uint8Array {
    const { dataKey } = this.view();
    if (dataKey === null) throw new PlatformError('unavailable', 'This peer has not joined its cluster yet');
    return this.#parts.keys.seal(dataKey, owner, key, value);
  }

  open(owner: SealOwner, key: string, sealed: Uint8Array): string {
    return this.#parts.keys.open(owner, key, sealed);
  }

  async runOneOff(request: OneOffRequest, context: CommandContext): Promise<OneOff> {
    const app = this.view().apps.get(request.app);
    const release = app === undefined || app.current === null ? undefined : app.releases.get(app.current);
    if (app === undefined || release === undefined) throw noApp();
    const made = madeBefore(this.peers(), request);
    if (made !== null) return made;
    const size = parseSizeName(request.size);
    const text = oneOffText(request.command, context.user);
    this.#parts.logs.append({ app: app.id, source: 'app', process: 'api', text });
    const volumes = volumesOf(app, request.type ?? ONE_OFF_TYPE);
    mustBeFree(volumes, request.command);
    const peers = peersWithRoom(this.peers(), { slug: release.slug, size, volumes });
    const remote = { app: app.id, release: release.id, size, request };
    return startOnFirst(this.#parts.mesh, peers, remote, () => this.runForPeer(remote));
  }

  /** Runs here what another peer asks for. */
  async runForPeer({ app: appId, release: releaseId, size, request }: RemoteRequest): Promise<OneOff> {
    const app = this.view().apps.get(appId);
    const release = app?.releases.get(releaseId);
    if (app === undefined || release === undefined) throw noApp();
    return this.#parts.oneOffs.start(app, release, request, size);
  }

  async execIn(place: DynoPlace, spec: ExecSpec, { user }: CommandContext): Promise<Duplex> {
    const { mesh, inside } = this.#parts;
    return place.peer === this.self ? inside.exec(place, spec, user) : execRemotely(mesh, place, spec, user);
  }

  async copyFrom(place: DynoPlace, path: string, { user }: CommandContext): Promise<Readable> {
    const { mesh, inside } = this.#parts;
    return place.peer === this.self
      ? inside.copyOut(place, path, user)
      : copyRemotely(mesh, place, path, user);
  }

  usage(app: AppId): Promise<readonly DynoUsage[]> {
    const { mesh, usage } = this.#parts;
    return usageEverywhere(app, { mesh, usage, peers: this.peers(), self: this.self });
  }

  async stopDyno(appId: AppId, name: string): Promise<void> {
    const { oneOffs, mesh } = this.#parts;
    const own = oneOffs.find(appId, name);
    if (own !== null) {
      oneOffs.stop(own);
      return;
    }
    const holder = this.peers().find(({ facts }) =>
      facts?.oneOffs.some((dyno) => dyno.app === appId && dyno.name === name),
    );
    if (holder !== undefined) {
      await callPeer(mesh, holder.peer, STOP_SERVICE, { app: appId, name }, STOP_MS);
      return;
    }
    const match = /^(.+)\.(\d+)$/.exec(name);
    const app = this.view().apps.get(appId);
    const entry = [...(app?.formation.values() ?? [])].find(({ type }) => type === match?.[1]);
    if (entry === undefined || Number(match?.[2]) < 1 || Number(match?.[2]) > entry.quantity) {
      throw new PlatformError('not_found', `Couldn't find dyno "${name}".`, {
        resource: 'dyno',
        hint: 'See `kith ps`',
      });
    }
    const command = {
      type: 'formation.restart',
      app: appId,
      process: entry.type,
      index: Number(match?.[2]),
    } as const;
    await this.command(command, { user: 'kith', request: null });
  }

  async invite(context: CommandContext, ttlMs: number): Promise<string> {
    const secret = randomBytes(18).toString('base64url');
    const invite = randomUUID();
    const expiresAt = Date.now() + ttlMs;
    await this.command({ type: 'invite.create', invite, secretHash: hashSecret(secret), expiresAt }, context);
    const addrs = this.#parts.mesh.addrs().map((addr) => `${addr}/p2p/${this.self}`);
    return formatInvite({ cluster: this.view().cluster ?? '', invite, secret, addrs, expiresAt });
  }

  join(token: string): Promise<void> {
    return this.#parts.join(token);
  }

  collect(): Promise<Collected> {
    return this.#parts.collect();
  }

  async drain(on: boolean): Promise<void> {
    const { loop } = this.#parts;
    loop().dispatch({ tag: 'draining', on });
    if (!on) return;
    const deadline = performance.now() + DRAIN_MS_MAX;
    while (loop().state.draining && this.#movable() > 0 && this.#hasHeir()) {
      if (performance.now() > deadline) {
        throw new PlatformError(
          'timeout',
          `This peer still runs ${this.#movable()} dynos after ten minutes`,
          {
            hint: 'The others may have no room: see `kith peers` and `kith ps`',
          },
        );
      }
      await sleep(DRAIN_LOOK_MS);
    }
  }

  /** Dynos that others may take over: what has a volume here runs nowhere else. */
  #movable(): number {
    const lives = [...this.#parts.loop().state.dynos.values()];
    return lives.filter(({ slot }) => slot.volumes.length === 0).length;
  }

  /** Whether somebody else could take dynos over. */
  #hasHeir(): boolean {
    return this.peers().some(
      ({ peer, verdict, facts }) => peer !== this.self && verdict === 'alive' && facts?.draining === false,
    );
  }
}

function parseSizeName(size: string | null): string {
  if (size === null) return DEFAULT_SIZE.name;
  const found = parseSize(size);
  if (found !== null) return found.name;
  throw new PlatformError('invalid_params', `No such size as "${size}".`, {
    hint: 'Try Basic, Standard-1X or Standard-2X',
  });
}

function noApp(): PlatformError {
  return new PlatformError('not_found', "Couldn't find that app.", { resource: 'app' });
}
