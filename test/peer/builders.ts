import { createHash } from 'node:crypto';
import type { ClusterId, Epoch, PeerId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { StoredOp } from '../../src/ledger/op.ts';
import { createSigner } from '../../src/ledger/signing.ts';
import { createPeer, type PeerBoot } from '../../src/peer/create.ts';
import type { PeerEffect } from '../../src/peer/effects.ts';
import type { PeerEvent } from '../../src/peer/events.ts';
import { nextWake, stepPeer } from '../../src/peer/machine.ts';
import type { PeerMessage } from '../../src/peer/messages.ts';
import type { PeerState } from '../../src/peer/state.ts';

export const CLUSTER = 'c'.repeat(26) as ClusterId;
const NOON = 1_700_000_000_000;

export type EffectOf<Tag extends PeerEffect['tag']> = Extract<PeerEffect, { tag: Tag }>;

/** One machine with a clock that the test sets and a store that never fails. */
export class Bench {
  mono = 0;
  state: PeerState;
  effects: PeerEffect[] = [];
  readonly stored: StoredOp[] = [];

  constructor(n: number, boot: Partial<PeerBoot> = {}, incarnation = 1) {
    const addrs = { mesh: [`/ip4/127.0.0.${n}/tcp/1`], api: 'a:1', http: 'h:1', proxy: `x${n}:9` };
    const first = createPeer(
      {
        signer: createSigner(createHash('sha256').update(`peer ${n}`).digest()),
        cluster: CLUSTER,
        incarnation,
        name: `p${n}`,
        version: '1',
        arch: 'x64',
        runtime: 'process',
        isolation: 'none',
        labels: {},
        addrs,
        capacity: { memoryMiB: 8_192, cpus: 2 },
      },
      {
        seed: n,
        epoch: 'abcdefghijklmnop'.slice(n).padEnd(16, 'z') as Epoch,
        ops: [],
        addresses: new Map(),
        adopted: [],
        blobs: [],
        ...boot,
      },
      this.now(),
    );
    this.state = first.state;
    this.#take(first.effects);
  }

  get id(): PeerId {
    return this.state.self;
  }

  now(): { mono: number; wall: number } {
    return { mono: this.mono, wall: NOON + this.mono };
  }

  /** One event; what it made the machine want. */
  step(event: PeerEvent): PeerEffect[] {
    const next = stepPeer(this.state, event, this.now());
    this.state = next.state;
    this.#take(next.effects);
    return [...next.effects];
  }

  hear(from: Bench, message: PeerMessage): PeerEffect[] {
    return this.step({ tag: 'message', from: from.id, message });
  }

  command(command: Command, id = command.type): PeerEffect[] {
    return this.step({ tag: 'command', id, command, context: { user: 'ann@example.com', request: null } });
  }

  /** Lets time pass, waking the machine whenever it wants. */
  run(ms: number): PeerEffect[] {
    const until = this.mono + ms;
    const from = this.effects.length;
    for (let wakes = 0; nextWake(this.state) <= until; wakes += 1) {
      if (wakes > 100_000) throw new Error('The machine never sleeps');
      this.mono = Math.max(this.mono, nextWake(this.state));
      this.step({ tag: 'wake' });
    }
    this.mono = until;
    return this.effects.slice(from);
  }

  #take(effects: readonly PeerEffect[]): void {
    this.effects.push(...effects);
    for (const effect of effects) if (effect.tag === 'persist') this.stored.push(...effect.ops);
  }
}

export function only<Tag extends PeerEffect['tag']>(
  effects: readonly PeerEffect[],
  tag: Tag,
): EffectOf<Tag>[] {
  return effects.filter((effect): effect is EffectOf<Tag> => effect.tag === tag);
}

/** Messages to one peer, those of the failure detector left out. */
export function sentTo(effects: readonly PeerEffect[], to: Bench): PeerMessage[] {
  return only(effects, 'send')
    .filter((effect) => effect.to === to.id && effect.message.t !== 'swim')
    .map(({ message }) => message);
}

/** A ledger in which the first peer has founded a cluster and admitted the others. */
export function foundingOps(count: number): readonly StoredOp[] {
  const founder = new Bench(1);
  founder.command({
    type: 'cluster.found',
    name: 'test',
    peer: founder.id,
    caCert: '',
    caKey: new Uint8Array(),
    key: 'k',
  });
  const ids = Array.from({ length: count - 1 }, (_, i) => new Bench(i + 2).id);
  for (const peer of ids) founder.command({ type: 'member.admit', peer, invite: null, name: 'x' });
  return founder.stored;
}

/** So many members that hold the same ledger and are not connected yet. */
export function benches(count: number): Bench[] {
  const ops = foundingOps(count);
  return Array.from({ length: count }, (_, i) => new Bench(i + 1, { ops }));
}

/** Makes one see another as connected and alive. */
export function meet(a: Bench, b: Bench): void {
  for (const [self, other] of [
    [a, b],
    [b, a],
  ] as const) {
    self.step({ tag: 'connected', peer: other.id });
    const rumours = [{ peer: other.id, incarnation: 1, state: 'alive', by: other.id }] as const;
    self.hear(other, { t: 'swim', message: { t: 'ping', n: 1, rumours, evidence: [] } });
  }
}
