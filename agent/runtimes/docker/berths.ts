import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerInfo } from 'dockerode';
import type { Logger } from 'pino';
import type { Tasks } from '../../lib/tasks.ts';
import { unlessGone, within, type Engine } from '../../lib/engine.ts';
import { LABEL, ownedBy } from './labels.ts';
import type { DynoNetwork } from './network.ts';
import { DYNO_UID } from './wrapper.ts';

const MADE_MS_MAX = 60_000;
/** Berths kept ready. Two, so that a dyno and its replacement do not wait for one another. */
const SPARE = 2;
/** The dyno that took one is on its own way then: two containers at once start no faster. */
const REFILL_AFTER_MS = 500;
const RETRY_MS = 5_000;
const MIB = 2 ** 20;

/** A network of its own that waits for a dyno, or has one. */
export type Berth = {
  /** Container that holds it. */
  readonly id: string;
  /** Addresses by which the host reaches it, IPv4 first. */
  readonly hosts: readonly string[];
};

type Options = {
  readonly engine: Engine;
  readonly peer: string;
  readonly stackImage: string;
  readonly network: DynoNetwork;
  readonly tasks: Tasks;
  readonly log: Logger;
};

/**
 * A network namespace takes the Engine several hundred milliseconds, three times as long as the rest of a container. So a
 * few are made ahead, each held by a container that only sleeps, and a dyno joins one when it starts.
 */
export class Berths {
  readonly #options: Options;
  readonly #spare: Berth[] = [];
  #making: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Takes one for a dyno, whose removal is then the taker's. */
  async take(): Promise<Berth> {
    for (;;) {
      const spare = this.#spare.shift();
      this.#refillSoon();
      if (spare === undefined) return await this.#make();
      if (await this.#isAlive(spare)) return spare;
    }
  }

  /** Makes the first ones: a peer that has just started is ready for dynos. */
  fill(): void {
    this.#refillSoon();
  }

  /** Whether containers in the Engine may be berths on their way. */
  get isBusy(): boolean {
    return this.#making !== null;
  }

  /** A former agent's, that no dyno has. */
  adopt(berth: Berth): void {
    this.#spare.push(berth);
  }

  has(id: string): boolean {
    return this.#spare.some((berth) => berth.id === id);
  }

  /** It is gone from the Engine. */
  forget(id: string): void {
    const index = this.#spare.findIndex((berth) => berth.id === id);
    if (index !== -1) this.#spare.splice(index, 1);
  }

  /** Those that wait go on waiting, for the next agent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#making;
  }

  /** One after another, and not while a dyno is on its way to its own start. */
  #refillSoon(): void {
    if (this.#making !== null || this.#isClosed) return;
    const { tasks, log } = this.#options;
    const making = (async () => {
      try {
        await sleep(REFILL_AFTER_MS);
        while (this.#spare.length < SPARE && !this.#isClosed) this.#spare.push(await this.#make());
      } catch (err) {
        log.info({ err }, 'no network made ahead');
        if (!this.#isClosed) setTimeout(() => this.#refillSoon(), RETRY_MS).unref();
      } finally {
        this.#making = null;
      }
    })();
    this.#making = making;
    tasks.run('make networks ahead', () => making);
  }

  async #make(): Promise<Berth> {
    const { engine, peer, stackImage, network } = this.#options;
    const container = await engine.createContainer({
      Image: stackImage,
      Entrypoint: ['/bin/sleep', 'infinity'],
      Cmd: [],
      User: `${DYNO_UID}:${DYNO_UID}`,
      Hostname: 'dyno',
      // A first process hears no SIGTERM: an Engine that stops must not wait for it.
      StopSignal: 'SIGKILL',
      Labels: ownedBy(peer, 'berth'),
      HostConfig: {
        NetworkMode: network.name,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Memory: 16 * MIB,
        PidsLimit: 8,
        LogConfig: { Type: 'none', Config: {} },
      },
    });
    try {
      await within(MADE_MS_MAX, 'to make a network', container.start());
      const { NetworkSettings } = await container.inspect();
      const own = NetworkSettings.Networks[network.name];
      return { id: container.id, hosts: hostsOf(own) };
    } catch (error) {
      // What is left is removed when the driver opens again; the first failure is the one to tell.
      await unlessGone(container.remove({ force: true })).catch((err: unknown) =>
        this.#options.log.debug({ err, container: container.id }, 'network container stays'),
      );
      throw error;
    }
  }

  async #isAlive({ id }: Berth): Promise<boolean> {
    try {
      return (await this.#options.engine.getContainer(id).inspect()).State.Running;
    } catch {
      return false;
    }
  }
}

/** A berth that the Engine's list shows; null when it does not run. */
export function berthOf(info: ContainerInfo, network: string): Berth | null {
  const own = info.NetworkSettings?.Networks[network];
  return info.State === 'running' && own !== undefined ? { id: info.Id, hosts: hostsOf(own) } : null;
}

export function berthIdOf(labels: Readonly<Record<string, string>>): string {
  return labels[LABEL.berth] ?? '';
}

function hostsOf(network: { IPAddress: string; GlobalIPv6Address: string } | undefined): string[] {
  const { IPAddress = '', GlobalIPv6Address = '' } = network ?? {};
  return [IPAddress, GlobalIPv6Address].filter((address) => address !== '');
}
