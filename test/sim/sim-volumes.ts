import { createHash } from 'node:crypto';
import type { AppId, OpId, VolumeId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { Volume } from '../../src/ledger/view.ts';
import { planVolumes } from '../../src/volumes/plan-volumes.ts';
import type { HeldCopy, VolumeStep } from '../../src/volumes/plan-volumes.ts';
import { Random } from './random.ts';
import type { Sim } from './sim.ts';
import type { SimPeer } from './sim-peer.ts';

const EVERY_MS = 50;
const MOVE_CHANCE = 0.01;

/** What is in a copy: the number of the last write. */
type Copy = HeldCopy & { readonly app: AppId; content: number };
/** What one run of an agent is at. */
type Copying = {
  readonly run: number;
  readonly volume: VolumeId;
  readonly to: SimPeer;
  readonly copy: string;
  /** Null until it is written: a host that stands still writes late. */
  hold: OpId | null;
  isSent: boolean;
};
type Ref = { readonly app: AppId; readonly volume: VolumeId; readonly by: SimPeer['peer'] };

/**
 * Disks with volumes for a simulated cluster, and people who create, mount and move them. Each dyno writes to its volume
 * as long as it runs; what it finds must always be what the last write left, whichever host that was on.
 */
export class SimVolumes {
  moves = 0;
  writes = 0;
  readonly #sim: Sim;
  /** Of its own, so that nothing else in a seed's run changes. */
  readonly #random: Random;
  readonly #disks = new Map<SimPeer, Map<string, Copy>>();
  readonly #copying = new Map<SimPeer, Copying>();
  readonly #written = new Map<VolumeId, number>();
  #made = 0;

  constructor(sim: Sim, seed: number) {
    this.#sim = sim;
    this.#random = new Random(seed + 77);
    for (const peer of sim.peers) this.#disks.set(peer, new Map());
  }

  /** Goes on for as long as the simulation does; nothing is moved any more after `troubleMs`. */
  begin(troubleMs: number): void {
    const { clock } = this.#sim;
    const look = (): void => {
      for (const peer of this.#sim.peers) this.#lookAt(peer, clock.now < troubleMs);
      this.#checkHosts();
      clock.after(EVERY_MS, look);
    };
    clock.after(EVERY_MS, look);
  }

  #lookAt(peer: SimPeer, isTrouble: boolean): void {
    const copying = this.#copying.get(peer);
    if (!peer.isRunning() || (copying !== undefined && copying.run !== peer.run)) this.#copying.delete(peer);
    this.#write(peer);
    if (!peer.isRunning()) return;
    const { view } = peer.state.fold;
    const [step] = planVolumes(view, peer.peer, [...this.#disk(peer).values()], this.#busy(peer));
    if (step !== undefined) this.#keep(peer, step);
    for (const app of view.apps.values()) {
      for (const volume of app.destroyed ? [] : app.volumes.values())
        this.#move(peer, app.id, volume, isTrouble);
    }
    if (!isTrouble) this.#unmountTorn(peer);
    else if (this.#random.chance(0.02)) this.#createAndMount(peer);
  }

  #busy(peer: SimPeer): ReadonlySet<VolumeId> {
    const copying = this.#copying.get(peer);
    return new Set(copying === undefined ? [] : [copying.volume]);
  }

  /** As the agent's keeper does. */
  #keep(peer: SimPeer, step: VolumeStep): void {
    const disk = this.#disk(peer);
    if (step.tag === 'discard') {
      disk.delete(step.copy);
      return;
    }
    const { app, volume } = step;
    const ref: Ref = { app, volume, by: peer.peer };
    if (step.tag === 'return') this.#ask(peer, { type: 'volume.return', ...ref });
    if (step.tag === 'release') this.#ask(peer, { type: 'volume.hold', ...ref, why: null });
    if (step.tag !== 'take') return;
    const { copy, isNew } = step;
    const content = disk.get(copy)?.content ?? (isNew ? 0 : Number.NaN);
    disk.set(copy, { app, volume, copy, state: 'live', content });
    this.#ask(peer, { type: 'volume.ready', ...ref, copy });
  }

  /** As the agent copies: hold, wait until nothing runs, send, give away. */
  #move(peer: SimPeer, app: AppId, { id, place, ready, hold, heldBy }: Volume, isTrouble: boolean): void {
    const ref: Ref = { app, volume: id, by: peer.peer };
    if (place.peer !== peer.peer || !ready) return;
    const copying = this.#copying.get(peer);
    if (copying === undefined) {
      if (!isTrouble || hold !== null || !this.#random.chance(MOVE_CHANCE)) return;
      const to = this.#random.pick(this.#sim.members().filter((each) => each.isRunning()));
      if (to === undefined) return;
      this.#copying.set(peer, {
        run: peer.run,
        volume: id,
        to,
        copy: this.#newCopy(),
        hold: null,
        isSent: false,
      });
      this.#ask(peer, { type: 'volume.hold', ...ref, why: 'move' });
      return;
    }
    if (copying.volume !== id) return;
    const { to, copy } = copying;
    copying.hold ??= heldBy;
    if (copying.hold === null) return;
    if (heldBy !== copying.hold) this.#copying.delete(peer);
    else if (copying.isSent) {
      this.#ask(peer, { type: 'volume.move', ...ref, hold: copying.hold, to: { peer: to.peer, copy } });
      this.#copying.delete(peer);
      this.moves += 1;
    } else if (!this.#isUsed(peer, id)) {
      const { network } = this.#sim;
      const isCut = network.isCut(peer.peer, to.peer) || network.isCut(to.peer, peer.peer);
      if (isCut || !to.isRunning()) this.#copying.delete(peer);
      else {
        const content = this.#disk(peer).get(place.copy)?.content ?? Number.NaN;
        this.#disk(to).set(copy, { app, volume: id, copy, state: 'arrived', content });
        copying.isSent = true;
      }
    }
  }

  #isUsed(peer: SimPeer, volume: VolumeId): boolean {
    const lives = [
      ...peer.state.dynos.values(),
      ...[...peer.runtime.processes.values()].map(({ life }) => life),
    ];
    return lives.some(({ slot }) => slot.volumes.some((each) => each.volume === volume));
  }

  #write(peer: SimPeer): void {
    for (const { life } of peer.runtime.processes.values()) {
      for (const { volume, copy } of life.slot.volumes) {
        const found = this.#disk(peer).get(copy);
        // One that was destroyed is in the trash, still mounted.
        if (found === undefined && !this.#isLive(peer, volume)) continue;
        const last = this.#written.get(volume) ?? 0;
        if (found?.state !== 'live' || found.content !== last) {
          throw new Error(
            `${peer.name}: ${life.slot.slot} found ${found?.content} (${found?.state}), not ${last}`,
          );
        }
        found.content = last + 1;
        this.#written.set(volume, last + 1);
        this.writes += 1;
      }
    }
  }

  /** Dynos with one volume are on one host at any time. */
  #checkHosts(): void {
    const hosts = new Map<VolumeId, string>();
    for (const peer of this.#sim.peers) {
      for (const { life } of peer.runtime.processes.values()) {
        for (const { volume } of life.slot.volumes) {
          const other = hosts.get(volume) ?? peer.name;
          if (other !== peer.name) throw new Error(`volume ${volume} is in use on ${other} and ${peer.name}`);
          hosts.set(volume, peer.name);
        }
      }
    }
  }

  #isLive(peer: SimPeer, volume: VolumeId): boolean {
    if (!peer.isRunning()) return false;
    return [...peer.state.fold.view.apps.values()].some((app) => !app.destroyed && app.volumes.has(volume));
  }

  #createAndMount(peer: SimPeer): void {
    const app = this.#random.pick(
      [...peer.state.fold.view.apps.values()].filter(({ destroyed }) => !destroyed),
    );
    if (app === undefined) return;
    const [unmounted] = [...app.volumes.values()].filter(({ mount }) => mount === null);
    if (unmounted !== undefined) {
      const mount = { process: this.#random.chance(0.5) ? 'web' : 'worker', path: '/app/data' };
      this.#ask(peer, { type: 'volume.mount', app: app.id, volume: unmounted.id, mount });
    } else if (app.volumes.size === 0) {
      const volume = this.#newVolume();
      const place = { peer: peer.peer, copy: this.#newCopy() };
      this.#ask(peer, { type: 'volume.create', app: app.id, volume, name: 'data', place });
    }
  }

  /** Two sides of a split may mount volumes of different hosts at one type: afterwards somebody unmounts one. */
  #unmountTorn(peer: SimPeer): void {
    for (const app of peer.state.fold.view.apps.values()) {
      const mounted = [...app.volumes.values()].filter(({ mount }) => mount !== null && !app.destroyed);
      const torn = mounted.find((volume) =>
        mounted.some(
          (other) =>
            other.id < volume.id &&
            other.mount?.type === volume.mount?.type &&
            other.place.peer !== volume.place.peer,
        ),
      );
      if (torn === undefined || torn.place.peer !== peer.peer) continue;
      this.#ask(peer, { type: 'volume.mount', app: app.id, volume: torn.id, mount: null });
    }
  }

  #ask(peer: SimPeer, command: Command): void {
    const id = `volumes ${(this.#made += 1)}`;
    peer.dispatch({ tag: 'command', id, command, context: { user: 'kith', request: null } });
  }

  #disk(peer: SimPeer): Map<string, Copy> {
    const disk = this.#disks.get(peer);
    if (disk === undefined) throw new Error(`No disk of ${peer.name}`);
    return disk;
  }

  #newVolume(): VolumeId {
    const hex = createHash('sha256')
      .update(`volume ${(this.#made += 1)}`)
      .digest('hex');
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    return id as VolumeId;
  }

  #newCopy(): string {
    return createHash('sha256')
      .update(`copy ${(this.#made += 1)}`)
      .digest('hex')
      .slice(0, 16);
  }
}
