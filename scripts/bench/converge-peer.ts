import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { randomId } from '../../agent/boot/past.ts';
import { Tasks } from '../../agent/lib/tasks.ts';
import { openMesh } from '../../agent/mesh/mesh.ts';
import { now } from '../../agent/peer/clock.ts';
import { Commands } from '../../agent/peer/commands.ts';
import { PeerLoop } from '../../agent/peer/peer-loop.ts';
import { createPerformer, GOSSIP_TOPIC, receive } from '../../agent/peer/performer.ts';
import { openStore } from '../../agent/store/store.ts';
import type { AppId, ClusterId, Epoch, PeerId } from '../../src/ids.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import { createSigner } from '../../src/ledger/signing.ts';
import { verdictOf } from '../../src/membership/membership.ts';
import { createPeer, type PeerBoot } from '../../src/peer/create.ts';
import type { PeerIdentity } from '../../src/peer/state.ts';
import type { Mesh } from '../../src/shell/mesh.ts';
import type { Store } from '../../src/shell/store.ts';
import type { FromPeer, Mark, ToPeer } from './converge-messages.ts';

/**
 * One peer of the bench `converge`, in a process of its own: the agent's real mesh, store, machine and loop, without
 * router, keeper, API and dynos, so that many fit on one machine. Told what to do over Node's IPC.
 */
const NO_DYNOS = { perform() {}, remove() {}, warm() {} };
const log = pino({ level: 'error' }, pino.destination(2));
const tasks = new Tasks(log);
const commands = new Commands();
const durable: Mark[] = [];
const visible: Mark[] = [];
let opened: { readonly seed: Buffer; readonly mesh: Mesh; readonly store: Store } | null = null;
let loop: PeerLoop | null = null;

process.on('message', (message: ToPeer) => {
  obey(message).catch((error: unknown) => say({ t: 'failed', reason: String(error) }));
});
process.on('disconnect', () => process.exit(0));

async function obey(message: ToPeer): Promise<void> {
  switch (message.t) {
    case 'open': {
      const seed = Buffer.from(message.seed, 'hex');
      const store = await openStore(join(message.dir, 'store'), log);
      const mesh = await openMesh({ seed, listen: ['/ip4/127.0.0.1/tcp/0'], log, mdns: null });
      opened = { seed, store, mesh };
      say({ t: 'opened', addrs: mesh.addrs() });
      break;
    }
    case 'start':
      loop = await start(message);
      say({ t: 'started' });
      break;
    case 'learn':
      learn(message.ops);
      say({ t: 'learned' });
      break;
    case 'write':
      await write();
      break;
    case 'look':
      say({ t: 'looked', ...look() });
      break;
    case 'report':
      say({ t: 'reported', durable, visible });
      break;
  }
}

async function start({ cluster, ops, addresses }: ToPeer & { t: 'start' }): Promise<PeerLoop> {
  if (opened === null) throw new Error('Not opened');
  const { mesh, store, seed } = opened;
  const stored = ops.map((op) => decodeOp(Buffer.from(op, 'base64')));
  await store.append(stored);
  const performer = createPerformer({
    mesh,
    store,
    dynos: NO_DYNOS,
    releases: { run() {} },
    tasks,
    log,
    dispatch: (event) => loop?.dispatch(event),
    onAnswer: (id, result) => commands.answer(id, result),
    onDuties() {},
    onRoutes: () => {},
  });
  const identity: PeerIdentity = {
    signer: createSigner(seed),
    cluster: cluster as ClusterId,
    incarnation: 1,
    name: mesh.self,
    version: '0',
    arch: process.arch,
    runtime: 'none',
    isolation: 'none',
    labels: {},
    addrs: { mesh: mesh.addrs(), api: '127.0.0.1:1', http: '127.0.0.1:1', proxy: '127.0.0.1:1' },
    capacity: { memoryMiB: 0, cpus: 0 },
  };
  const boot: PeerBoot = {
    seed: randomBytes(4).readUInt32LE(),
    epoch: randomId(16) as Epoch,
    ops: stored,
    addresses: new Map(Object.entries(addresses) as [PeerId, readonly string[]][]),
    adopted: [],
    blobs: [],
  };
  const first = createPeer(identity, boot, now());
  const running = new PeerLoop(first, { ...performer, persist }, log);
  running.onChange(markVisible);
  receive(mesh, (event) => running.dispatch(event), log);
  return running;

  async function persist(effect: Parameters<typeof performer.persist>[0]): Promise<void> {
    const wrote = effect.ops.some(({ op }) => op.author === mesh.self) ? currentRelease() : 0;
    await performer.persist(effect);
    if (wrote > 0) durable.push([wrote, clock()]);
  }
}

function markVisible(): void {
  const release = currentRelease();
  if (release > (visible.at(-1)?.[0] ?? 0)) visible.push([release, clock()]);
}

/** As if another member had sent them. */
function learn(ops: readonly string[]): void {
  const from = loop?.state.fold.view.members.keys().next().value;
  if (loop === null || from === undefined) throw new Error('Not started');
  const message = { t: 'ops', ops: ops.map((op) => Buffer.from(op, 'base64')) } as const;
  loop.dispatch({ tag: 'message', from, message });
}

/** A config var of the only app is set here, as `kith config:set` does it. */
async function write(): Promise<void> {
  if (loop === null) throw new Error('Not started');
  const [app] = loop.state.fold.view.names.values();
  const command = { type: 'config.patch', app: app as AppId, config: { BENCH: randomBytes(64) } } as const;
  const asked = clock();
  await commands.run(loop, command, { user: 'bench', request: null });
  say({ t: 'written', release: currentRelease(), asked, answered: clock() });
}

function look(): { alive: number; gossiping: boolean } {
  if (loop === null || opened === null) return { alive: 0, gossiping: false };
  const { fold, membership, self } = loop.state;
  const peers = [...fold.view.members.keys()].filter(
    (peer) => peer === self || verdictOf(membership, peer) === 'alive',
  );
  return { alive: peers.length, gossiping: opened.mesh.hasSubscribers(GOSSIP_TOPIC) };
}

function currentRelease(): number {
  const view = loop?.state.fold.view;
  const [id] = view?.names.values() ?? [];
  const app = id === undefined ? undefined : view?.apps.get(id);
  return app === undefined || app.current === null ? 0 : (app.releases.get(app.current)?.number ?? 0);
}

function clock(): string {
  return String(process.hrtime.bigint());
}

function say(message: FromPeer): void {
  process.send?.(message);
}
