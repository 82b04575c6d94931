import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OpId, VolumeId } from '../../src/ids.ts';
import type { Volume } from '../../src/ledger/volumes/volume-types.ts';
import { planVolumes } from '../../src/volumes/plan-volumes.ts';
import type { HeldCopy, VolumeStep } from '../../src/volumes/plan-volumes.ts';
import { appId, clusterWithApp, sync, type TestPeer } from '../ledger/builders.ts';

const APP = appId(1);
const VOLUME = '11111111-2222-4333-8444-555555555555' as VolumeId;
const PEERS = 3;

type Copying = { readonly to: Host; readonly copy: string; readonly hold: OpId; step: 'held' | 'sent' };

/** A peer's ledger and disk, which outlive it, and the copying it is at, which does not. */
class Host {
  readonly ledger: TestPeer;
  /** What is in each copy: the number of the last write. */
  readonly disk = new Map<string, { state: HeldCopy['state']; content: number }>();
  isUp = true;
  copying: Copying | null = null;

  constructor(ledger: TestPeer) {
    this.ledger = ledger;
  }

  get volume(): Volume | undefined {
    return this.ledger.app().volumes.get(VOLUME);
  }

  die(): void {
    this.isUp = false;
    this.copying = null;
  }

  steps(): readonly VolumeStep[] {
    const held = [...this.disk].map(([copy, { state }]) => ({ volume: VOLUME, copy, state }));
    return planVolumes(
      this.ledger.view,
      this.ledger.id,
      held,
      new Set(this.copying === null ? [] : [VOLUME]),
    );
  }

  /** As the agent's keeper does; `isCut`: it dies after the disk has changed, before the ledger has. */
  keep(isCut = false): void {
    const [step] = this.steps();
    if (step === undefined) return;
    const at = { app: APP, volume: VOLUME, by: this.ledger.id } as const;
    switch (step.tag) {
      case 'take': {
        const content = this.disk.get(step.copy)?.content ?? (step.isNew ? 0 : Number.NaN);
        this.disk.set(step.copy, { state: 'live', content });
        if (isCut) this.die();
        else this.ledger.run({ type: 'volume.ready', ...at, copy: step.copy });
        break;
      }
      case 'return':
        this.ledger.run({ type: 'volume.return', ...at });
        break;
      case 'release':
        this.ledger.run({ type: 'volume.hold', ...at, why: null });
        break;
      case 'discard':
        this.disk.delete(step.copy);
        break;
    }
  }

  /** Whether a dyno may run here now, as placement and the runtime see it. @returns the copy it would write to */
  mounted(): { content: number } | null {
    const { volume } = this;
    if (!this.isUp || volume?.place.peer !== this.ledger.id || !volume.ready || volume.hold !== null)
      return null;
    const copy = this.disk.get(volume.place.copy);
    if (copy === undefined) throw new Error('the ledger says that a copy is ready which is not on the disk');
    return copy.state === 'live' ? copy : null;
  }
}

class World {
  readonly hosts: readonly Host[];
  written = 0;
  #copies = 0;

  constructor() {
    this.hosts = clusterWithApp(PEERS).map((ledger) => new Host(ledger));
    const [first] = this.hosts;
    const copy = this.newCopy();
    const place = { peer: first?.ledger.id as never, copy };
    first?.ledger.run({ type: 'volume.create', app: APP, volume: VOLUME, name: 'data', place });
  }

  newCopy(): string {
    this.#copies += 1;
    return this.#copies.toString(16).padStart(16, '0');
  }

  /** One dyno writes. What it finds must be what the last one left, wherever that was. */
  write(host: Host): void {
    const copy = host.mounted();
    if (copy === null) return;
    expect(copy.content).toBe(this.written);
    this.written += 1;
    copy.content = this.written;
  }

  /** Begins to copy to a host (a move, or a restore of what is there already), or does the next thing for it. */
  copy(from: Host, to: Host): void {
    const { ledger, volume } = from;
    const at = { app: APP, volume: VOLUME, by: ledger.id } as const;
    if (!from.isUp || volume?.place.peer !== ledger.id) return;
    if (from.copying === null) {
      const [hold] = ledger.try({ type: 'volume.hold', ...at, why: 'move' });
      if (hold === undefined) return;
      from.copying = { to, copy: this.newCopy(), hold: hold.id, step: 'held' };
      return;
    }
    const { copying } = from;
    if (copying.step === 'held') {
      if (!copying.to.isUp) from.copying = null;
      else {
        const content = from.disk.get(volume.place.copy)?.content ?? Number.NaN;
        copying.to.disk.set(copying.copy, { state: 'arrived', content });
        copying.step = 'sent';
      }
      return;
    }
    const place = { peer: copying.to.ledger.id, copy: copying.copy };
    ledger.run({ type: 'volume.move', ...at, hold: copying.hold, to: place });
    from.copying = null;
  }

  /** Everything comes back, hears of everything, and finishes what it owes. */
  settle(): void {
    for (const host of this.hosts) host.isUp = true;
    for (const host of this.hosts) host.copying = null;
    for (let round = 0; round < 40; round += 1) {
      for (const a of this.hosts) for (const b of this.hosts) if (a !== b) sync(a.ledger, b.ledger);
      for (const host of this.hosts) host.keep();
    }
  }
}

const action = fc.record({
  what: fc.constantFrom(
    'write',
    'write',
    'copy',
    'copy',
    'copy',
    'keep',
    'keep',
    'keepCut',
    'sync',
    'sync',
    'die',
    'rise',
    'sweep',
  ),
  a: fc.nat(PEERS - 1),
  b: fc.nat(PEERS - 1),
});

test('whoever dies at whichever moment of a move, no write is lost and no two copies are written to', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 20, maxLength: 120 }), (actions) => {
      const world = new World();
      for (const { what, a, b } of actions) {
        const [host, other] = [world.hosts[a] as Host, world.hosts[b] as Host];
        if (what === 'rise') host.isUp = true;
        else if (!host.isUp) continue;
        else if (what === 'write') world.write(host);
        else if (what === 'copy') world.copy(host, other);
        else if (what === 'keep') host.keep();
        else if (what === 'keepCut') host.keep(true);
        else if (what === 'die') host.die();
        else if (what === 'sync' && other !== host && other.isUp) sync(host.ledger, other.ledger);
        else if (what === 'sweep')
          for (const [copy, { state }] of host.disk) if (state === 'arrived') host.disk.delete(copy);
        for (const each of world.hosts) each.mounted();
        expect(world.hosts.filter((each) => each.mounted() !== null).length).toBeLessThanOrEqual(1);
      }
      world.settle();
      const mounted = world.hosts.flatMap((host) => host.mounted() ?? []);
      expect(mounted.map(({ content }) => content)).toEqual([world.written]);
      const live = world.hosts.flatMap(({ disk }) =>
        [...disk.values()].filter(({ state }) => state === 'live'),
      );
      expect(live).toHaveLength(1);
    }),
    { numRuns: 300 },
  );
});
