import type { DynoEffect, DynoEvent, DynoLife } from '../../src/dynos/types.ts';
import type { AdoptedDyno } from '../../src/peer/create.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import type { ClockQueue } from './clock-queue.ts';
import type { Disk } from './disk.ts';
import type { Random } from './random.ts';

export type RuntimeFaults = { crashChance: number; bootFailChance: number; slowFetchMs: number };

type Process = {
  life: DynoLife;
  port: number;
  isUp: boolean;
  isEnding: boolean;
  /** It runs, though its agent was told that it could not be started. */
  isUnheardOf: boolean;
};

/** A host's dynos: they outlive the agent, and die with the host. */
export class SimRuntime {
  readonly faults: RuntimeFaults = { crashChance: 0, bootFailChance: 0, slowFetchMs: 0 };
  readonly processes = new Map<DynoId, Process>();
  /** The Engine does not answer: nothing starts or stops, and what ends is heard of only when it is back. */
  isAway = false;
  /** Starts so far, for the watch against busy loops. */
  starts = 0;
  readonly #clock: ClockQueue;
  readonly #random: Random;
  readonly #disk: Disk;
  #report: (dyno: DynoId, event: DynoEvent) => void = () => {};
  #tellAvailable: (on: boolean, reason: string) => void = () => {};
  /** What waits for the Engine. */
  #onReturn: (() => void)[] = [];
  #canFetch: (from: PeerId, slug: string) => boolean;

  constructor(
    clock: ClockQueue,
    random: Random,
    disk: Disk,
    canFetch: (from: PeerId, slug: string) => boolean,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#disk = disk;
    this.#canFetch = canFetch;
  }

  /** A new agent listens. (It would wait for an Engine that is away, so here that is back by then.) */
  attach(
    report: (dyno: DynoId, event: DynoEvent) => void,
    tellAvailable: (on: boolean, reason: string) => void,
  ): AdoptedDyno[] {
    this.isAway = false;
    this.#onReturn = [];
    this.#report = report;
    this.#tellAvailable = tellAvailable;
    return [...this.processes.values()].map(({ life, port, isUp }) => ({
      dyno: life.dyno,
      slot: life.slot,
      claimedAt: life.claimedAt,
      crashes: life.crashes,
      launchedAt: life.launchedAt.wall,
      address: life.slot.listens ? addressOf(port) : null,
      listening: isUp,
      exited: null,
    }));
  }

  perform(life: DynoLife, effect: DynoEffect, holders: readonly PeerId[]): void {
    switch (effect.tag) {
      case 'fetchSlug':
        this.#fetch(life, holders);
        break;
      case 'start':
        this.#start(life);
        break;
      case 'drain':
        this.#clock.after(this.#random.between(5, 400), () => this.#report(life.dyno, { tag: 'drained' }));
        break;
      case 'signal':
        this.#signal(life, effect.signal);
        break;
      case 'log':
        break;
    }
  }

  /** The host is gone, with everything on it but its disk. */
  killAll(): void {
    this.processes.clear();
    this.isAway = false;
    this.#onReturn = [];
  }

  /** The Engine does not answer any more; some that die take their dynos with them. */
  goAway(isDeath: boolean): void {
    if (this.isAway) return;
    this.isAway = true;
    if (isDeath) for (const process of this.processes.values()) this.#exit(process, 137);
    this.#clock.after(this.#random.between(50, 1_500), () => {
      if (this.isAway) this.#tellAvailable(false, 'the Engine does not answer');
    });
  }

  comeBack(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.#tellAvailable(true, '');
    for (const run of this.#onReturn.splice(0)) run();
  }

  /**
   * The agent forgets a dyno, which it may do with none that runs. One that runs all the same, for want of an Engine to end it
   * or to tell of it, is ended, as Engines do with a container that is removed.
   */
  remove(dyno: DynoId): void {
    if (this.isAway) this.#onReturn.push(() => this.processes.delete(dyno));
    else if (this.processes.get(dyno)?.isUnheardOf === true) this.processes.delete(dyno);
  }

  fetch(slug: string, holders: readonly PeerId[], done: (ok: boolean) => void): void {
    const delay = this.#random.between(1, 150) + this.faults.slowFetchMs;
    this.#clock.after(delay, () => {
      const isHere = this.#disk.blobs.has(slug as never);
      if (!isHere && !holders.some((peer) => this.#canFetch(peer, slug))) return done(false);
      this.#disk.blobs.add(slug as never);
      done(true);
    });
  }

  #fetch(life: DynoLife, holders: readonly PeerId[]): void {
    this.fetch(life.slot.slug, holders, (ok) =>
      this.#report(
        life.dyno,
        ok ? { tag: 'slug', ok } : { tag: 'slug', ok, reason: 'no peer that holds it answered' },
      ),
    );
  }

  #start(life: DynoLife): void {
    const isMissed = this.isAway && this.#random.chance(0.7);
    if (isMissed || this.#random.chance(this.faults.bootFailChance)) {
      this.#clock.after(30, () => this.#report(life.dyno, { tag: 'failed', reason: 'no luck' }));
      return;
    }
    this.starts += 1;
    const port = 10_000 + (this.starts % 20_000);
    const process: Process = { life, port, isUp: false, isEnding: false, isUnheardOf: this.isAway };
    this.processes.set(life.dyno, process);
    // It did start, but nobody is there to say so.
    if (this.isAway) this.#report(life.dyno, { tag: 'failed', reason: 'the Engine does not answer' });
    this.#clock.after(this.#random.between(5, 40), () => {
      if (this.#lives(process))
        this.#report(life.dyno, {
          tag: 'started',
          address: life.slot.listens ? addressOf(process.port) : null,
        });
    });
    this.#clock.after(this.#random.between(60, 900), () => {
      if (!this.#lives(process) || process.isEnding) return;
      process.isUp = true;
      this.#report(life.dyno, { tag: 'ready', address: addressOf(process.port) });
    });
    if (this.#random.chance(this.faults.crashChance)) {
      this.#clock.after(this.#random.between(50, 8_000), () => this.#exit(process, 1));
    }
  }

  #signal(life: DynoLife, signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.isAway) return;
    const process = this.processes.get(life.dyno);
    if (process === undefined) {
      this.#clock.after(1, () =>
        this.#report(life.dyno, { tag: 'exited', status: null, signal, outOfMemory: false }),
      );
      return;
    }
    process.isEnding = true;
    if (signal === 'SIGTERM' && this.#random.chance(0.05)) return;
    this.#clock.after(signal === 'SIGKILL' ? 3 : this.#random.between(5, 800), () =>
      this.#exit(process, 143),
    );
  }

  #exit(process: Process, status: number): void {
    if (!this.#lives(process)) return;
    this.processes.delete(process.life.dyno);
    const tell = (): void =>
      this.#report(process.life.dyno, { tag: 'exited', status, signal: null, outOfMemory: false });
    if (this.isAway) this.#onReturn.push(tell);
    else tell();
  }

  #lives(process: Process): boolean {
    return this.processes.get(process.life.dyno) === process;
  }
}

function addressOf(port: number): { host: string; port: number } {
  return { host: '127.0.0.1', port };
}
