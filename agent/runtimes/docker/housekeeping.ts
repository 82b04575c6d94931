import type { ContainerInfo } from 'dockerode';
import type { DynoId } from '../../../src/ids.ts';
import type { Tasks } from '../../lib/tasks.ts';
import { dynoIdOf } from './adopt.ts';
import type { Berths } from './berths.ts';
import { guardBridge } from './firewall.ts';
import type { KnownDynos } from './known-dynos.ts';
import { ownContainers, removeContainer } from './own-containers.ts';
import type { DockerParts } from './parts.ts';
import { PortGateRepair } from './port-gate-repair.ts';
import type { SlugImages } from './slug-images.ts';
import { sortContainers, type SortedContainers } from './sort-containers.ts';

const SWEEP_AGAIN_MS = 2_000;

type Options = {
  readonly parts: DockerParts;
  readonly dynos: KnownDynos;
  readonly images: SlugImages;
  readonly berths: Berths;
  readonly tasks: Tasks;
};

/** Brings what the Engine has and what this agent knows together again. */
export class Housekeeping {
  readonly #options: Options;
  readonly #portGate: PortGateRepair;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#portGate = new PortGateRepair({ ...options.parts, tasks: options.tasks });
  }

  /** After a (re)connection: tells what ended meanwhile, and removes what is nobody's. */
  async reconcile(): Promise<void> {
    const { parts, dynos, berths } = this.#options;
    const { engine, network, stackImage, peer, files } = parts;
    await guardBridge(network, { engine, image: stackImage, peer });
    await this.#portGate.repair();
    const infos = await ownContainers(parts);
    this.#tellEnded(infos);
    const sorted = sortContainers(infos, {
      network: network.name,
      isWanted: (info) => this.#isWanted(info),
      isSpare: (id) => berths.has(id),
    });
    if (!dynos.hasListed) for (const berth of sorted.idleBerths) berths.adopt(berth);
    await this.#sweep(sorted);
    const inEngine = new Set<string>(sorted.dynos.map(({ Labels }) => dynoIdOf(Labels)));
    await files.removeOthers((id) => inEngine.has(id) || dynos.isStarting(id as DynoId));
    berths.fill();
  }

  close(): void {
    this.#isClosed = true;
    this.#portGate.close();
    clearTimeout(this.#again);
  }

  #tellEnded(infos: readonly ContainerInfo[]): void {
    const { dynos } = this.#options;
    const running = new Set(infos.filter(({ State }) => State === 'running').map(({ Id }) => Id));
    for (const dyno of dynos.all()) {
      const { dyno: id, container } = dyno.parts;
      if (!dynos.isStarting(id) && !running.has(container.id)) dyno.onDie();
    }
  }

  async #sweep({ strays, idleBerths }: SortedContainers): Promise<void> {
    const { parts, dynos, images, berths } = this.#options;
    // What is on its way cannot be told from what is nobody's: that is looked at again.
    if (dynos.isAnyStarting || images.isBusy || berths.isBusy) return this.#sweepSoon();
    const left = [...strays.map(({ Id }) => Id), ...(dynos.hasListed ? idleBerths.map(({ id }) => id) : [])];
    for (const id of left) await removeContainer(parts.engine, id);
  }

  #sweepSoon(): void {
    clearTimeout(this.#again);
    if (this.#isClosed) return;
    const sweep = (): void => this.#options.tasks.run('sweep', () => this.reconcile());
    this.#again = setTimeout(sweep, SWEEP_AGAIN_MS);
  }

  /** Before the first list every dyno may still be somebody's, but one that never began. */
  #isWanted({ Labels, State }: ContainerInfo): boolean {
    const { dynos } = this.#options;
    const id = dynoIdOf(Labels);
    if (dynos.has(id) || dynos.isStarting(id)) return true;
    return !dynos.hasListed && State !== 'created';
  }
}
