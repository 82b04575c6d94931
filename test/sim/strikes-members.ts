import { appendDrafts } from '../../src/ledger/author-logs.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { OpDraft } from '../../src/ledger/op.ts';
import type { Strike, World } from './faults.ts';
import type { SimPeer } from './sim-peer.ts';
import { cutOff } from './strikes-network.ts';

/** Comings and goings, and members of another version. */
export const MEMBER_STRIKES = {
  /** Gives its dynos away, and takes work again later. */
  drain: (peer, { random, later }) => {
    peer.dispatch({ tag: 'draining', on: true });
    later(random.between(2_000, 20_000), () => peer.dispatch({ tag: 'draining', on: false }));
  },
  /** A planned reboot, as the agent does it on SIGTERM. */
  leave: (peer, { random, later }) => {
    peer.dispatch({ tag: 'draining', on: true });
    later(random.between(1_000, 8_000), () => {
      peer.dispatch({ tag: 'stopAll' });
      later(1_000, () => {
        peer.dispatch({ tag: 'leave' });
        later(50, () => peer.crash('host-down'));
        later(random.between(1_000, 15_000), () => peer.start());
      });
    });
  },
  /** Once a run, the peer is removed, as often as not while it cannot hear of it. */
  remove: (peer, world) => {
    const others = world.peers.filter((other) => other.standing === 'member' && other !== peer);
    const by = world.random.pick(others.filter((other) => other.isRunning()));
    const isFirst = world.peers.every(({ standing }) => standing !== 'removed');
    if (by === undefined || others.length < 2 || !isFirst) return;
    if (world.random.chance(0.5)) {
      cutOff([peer], world);
      world.later(world.random.between(1_000, 10_000), () => world.network.healAll());
    }
    peer.standing = 'removed';
    ask(by, { type: 'member.remove', peer: peer.peer });
    // The op might be lost with its author; somebody asks again until it is there.
    insist(world, () => {
      const asker = others.find((other) => other.isRunning());
      if (asker?.state.fold.view.members.get(peer.peer)?.state === 'member')
        ask(asker, { type: 'member.remove', peer: peer.peer });
    });
  },
  /** A host that was not there joins: a member grants it its ledger. */
  join: (_peer, world) => {
    const stranger = world.peers.find(({ standing }) => standing === 'stranger');
    const by = world.random.pick(
      world.peers.filter((other) => other.standing === 'member' && other.isRunning()),
    );
    if (stranger === undefined || by === undefined) return;
    admit(by, stranger);
  },
  /** A newer peer writes what this version does not know: it is kept and passed on. */
  'newer-peer': (peer, world) => {
    const from = world.peers.find((other) => other !== peer && other.standing === 'member');
    if (!peer.isRunning() || from === undefined) return;
    const { logs, epoch, hlc, identity } = peer.state;
    const body = { kind: 'future.thing', text: `v${world.random.int(2, 9)}` };
    const draft = { parents: [], body } as unknown as OpDraft;
    const at = { cluster: identity.cluster, signer: peer.signer, epoch, hlc, wall: peer.now().wall };
    const { ops } = appendDrafts(logs, at, [draft]);
    peer.dispatch({
      tag: 'message',
      from: from.peer,
      message: { t: 'ops', ops: ops.map(({ bytes }) => bytes) },
    });
  },
} as const satisfies Record<string, Strike>;

/** Writes the admission, and starts the new peer once its host holds what it was granted. */
export function admit(by: SimPeer, stranger: SimPeer): void {
  ask(by, { type: 'member.admit', peer: stranger.peer, invite: null, name: stranger.name });
  by.onceDurable(() => {
    if (stranger.standing !== 'stranger') return;
    stranger.disk.write(by.disk.all(), { addresses: { [by.peer]: ['/ip4/127.0.0.1/tcp/6001'] } });
    stranger.standing = 'member';
    stranger.start();
  });
}

function insist(world: World, again: () => void): void {
  for (let s = 1; s <= 20; s += 1) world.clock.after(s * 3_000, again);
}

function ask(peer: SimPeer, command: Command): void {
  peer.dispatch({
    tag: 'command',
    id: command.type,
    command,
    context: { user: 'ann@example.com', request: null },
  });
}
