import { createHash } from 'node:crypto';
import type { AppId, BackupId, BlobId, OpId, VolumeId } from '../../src/ids.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { Volume } from '../../src/ledger/volumes/volume-types.ts';
import type { SlotVolume } from '../../src/placement/types.ts';
import { planVolumes } from '../../src/volumes/plan-volumes.ts';
import type { HeldCopy, VolumeStep } from '../../src/volumes/plan-volumes.ts';
import { Random } from './random.ts';
import type { Sim } from './sim.ts';
import type { SimPeer } from './sim-peer.ts';

const EVERY_MS = 50;
const MOVE_CHANCE = 0.01;
const TYPES = ['web', 'worker', 'release'] as const;

/** What is in a copy: the number of the last write. */
type Copy = HeldCopy & { readonly app: AppId; content: number };
/** What one run of an agent is at. */
type Copying = {
  readonly run: number;
  readonly volume: VolumeId;
  readonly to: SimPeer;
  /** Null for a backup. */
  readonly copy: string | null;
  /** Null until it is written: a host that stands still writes late. */
  hold: OpId | null;
  isSent: boolean;
  /** What was packed for a backup; its dynos run again then. */
  packed: number | null;
};
type Ref = { readonly app: AppId; readonly volume: VolumeId; readonly by: SimPeer['peer'] };

/**
 * Disks with volumes for a simulated cluster, and people who create, mount and move them. Each dyno writes to its volume
 * as long as it runs; what it finds must always be what the last write left, whichever host that was on.
 */
export class SimVolumes {
  moves = 0;
  backups = 0;
  writes = 0;
  readonly #sim: Sim;
  /** Of its own, so that nothing else in a seed's run changes. */
  readonly #random: Random;
  readonly #disks = new Map<SimPeer, Map<string, Copy>>();
  readonly #copying = new Map<SimPeer, Copying>();
  /** What each host keeps of others, by the archive's id. */
  readonly #kept = new Map<SimPeer, Map<BlobId, number>>();
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
    if (copying?.volume === id && copying.packed !== null) {
      this.#store(peer, ref, copying, copying.packed);
      return;
    }
    if (copying === undefined) {
      if (!isTrouble || hold !== null || !this.#random.chance(MOVE_CHANCE)) return;
      const to = this.#random.pick(this.#sim.members().filter((each) => each.isRunning()));
      if (to === undefined) return;
      const isBackup = this.#random.chance(0.3);
      this.#copying.set(peer, {
        run: peer.run,
        volume: id,
        to,
        copy: isBackup ? null : this.#newCopy(),
        hold: null,
        isSent: false,
        packed: null,
      });
      this.#ask(peer, { type: 'volume.hold', ...ref, why: isBackup ? 'backup' : 'move' });
      return;
    }
    if (copying.volume !== id) return;
    const { to, copy } = copying;
    copying.hold ??= heldBy;
    if (copying.hold === null) return;
    if (heldBy !== copying.hold) this.#copying.delete(peer);
    else if (copy === null) {
      if (this.#isUsed(peer, id)) return;
      copying.packed = this.#disk(peer).get(place.copy)?.content ?? Number.NaN;
      this.#ask(peer, { type: 'volume.hold', ...ref, why: null });
    } else if (copying.isSent) {
      this.#ask(peer, { type: 'volume.move', ...ref, hold: copying.hold, to: { peer: to.peer, copy } });
      this.#copying.delete(peer);
      this.moves += 1;
    } else if (!this.#isUsed(peer, id)) {
      if (!this.#canReach(peer, to)) this.#copying.delete(peer);
      else {
        const content = this.#disk(peer).get(place.copy)?.content ?? Number.NaN;
        this.#disk(to).set(copy, { app, volume: id, copy, state: 'arrived', content });
        copying.isSent = true;
      }
    }
  }

  /** As the agent does once its dynos run again: the other host has the archive before the ledger says so. */
  #store(peer: SimPeer, { app, volume }: Ref, { to }: Copying, content: number): void {
    this.#copying.delete(peer);
    if (!this.#canReach(peer, to)) return;
    const archive = sha256(`archive ${(this.#made += 1)}`) as BlobId;
    const kept = this.#kept.get(to) ?? new Map<BlobId, number>();
    this.#kept.set(to, kept.set(archive, content));
    const backup = archive.slice(0, 8) as BackupId;
    const what = { peer: to.peer, archive, bytes: 1 };
    this.#ask(peer, { type: 'volume.backup', app, volume, backup, kept: what });
    this.backups += 1;
  }

  /** Each backup that a ledger names is where it says, and is a whole write of its volume. */
  checkBackups(): void {
    for (const peer of this.#sim.members().filter((each) => each.isRunning())) {
      for (const app of peer.state.fold.view.apps.values()) {
        for (const { id, archive, volume, peer: at } of app.backups.values()) {
          const keeper = this.#sim.peers.find((each) => each.peer === at);
          const content = keeper === undefined ? undefined : this.#kept.get(keeper)?.get(archive);
          if (content === undefined || !(content <= (this.#written.get(volume) ?? 0))) {
            throw new Error(`${peer.name}: backup ${id} of ${volume} holds ${content}`);
          }
        }
      }
    }
  }

  #canReach(peer: SimPeer, to: SimPeer): boolean {
    const { network } = this.#sim;
    return !network.isCut(peer.peer, to.peer) && !network.isCut(to.peer, peer.peer) && to.isRunning();
  }

  #isUsed(peer: SimPeer, volume: VolumeId): boolean {
    const wanted = [...peer.state.dynos.values()].map(({ slot }) => slot.volumes);
    const used = [...wanted, ...this.#mounted(peer)];
    return used.some((volumes) => volumes.some((each) => each.volume === volume));
  }

  /** What each dyno, and each release command, of a host writes to. */
  #mounted(peer: SimPeer): readonly (readonly SlotVolume[])[] {
    const dynos = [...peer.runtime.processes.values()].map(({ life }) => life.slot.volumes);
    return [...dynos, ...peer.releaseVolumes()];
  }

  #write(peer: SimPeer): void {
    for (const volumes of this.#mounted(peer)) {
      for (const { volume, copy, name } of volumes) {
        const found = this.#disk(peer).get(copy);
        // One that was destroyed is in the trash, still mounted.
        if (found === undefined && !this.#isLive(peer, volume)) continue;
        const last = this.#written.get(volume) ?? 0;
        if (found?.state !== 'live' || found.content !== last) {
          throw new Error(
            `${peer.name}: a dyno of ${name} found ${found?.content} (${found?.state}), not ${last}`,
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
      for (const volumes of this.#mounted(peer)) {
        for (const { volume } of volumes) {
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
      const mount = { process: this.#random.pick(TYPES) ?? 'web', path: '/app/data' };
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
    const hex = sha256(`volume ${(this.#made += 1)}`);
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    return id as VolumeId;
  }

  #newCopy(): string {
    return sha256(`copy ${(this.#made += 1)}`).slice(0, 16);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
