import { PlatformError } from '../../../src/errors.ts';
import type { DynoId } from '../../../src/ids.ts';
import type { DockerDyno } from './docker-dyno.ts';
import type { LaunchFiles } from './launch-files.ts';

/** The dynos of this peer that are in the Engine, as far as this agent knows, and those on their way there. */
export class KnownDynos {
  readonly #dynos = new Map<DynoId, DockerDyno>();
  /** Not to be taken for what nobody knows. */
  readonly #starting = new Set<DynoId>();
  #hasListed = false;

  /** Whether a former agent's dynos are all among these: before that, any in the Engine may be somebody's. */
  get hasListed(): boolean {
    return this.#hasListed;
  }

  get isAnyStarting(): boolean {
    return this.#starting.size > 0;
  }

  get(id: DynoId): DockerDyno | undefined {
    return this.#dynos.get(id);
  }

  has(id: DynoId): boolean {
    return this.#dynos.has(id);
  }

  all(): readonly DockerDyno[] {
    return [...this.#dynos.values()];
  }

  isStarting(id: DynoId): boolean {
    return this.#starting.has(id);
  }

  /** @throws PlatformError `conflict` for one that was begun before */
  begin(id: DynoId, name: string): void {
    if (this.#dynos.has(id) || this.#starting.has(id)) {
      throw new PlatformError('conflict', `Cannot start "${name}": dyno "${id}" was started before`);
    }
    this.#starting.add(id);
  }

  /** It runs, or never will. */
  begun(id: DynoId): void {
    this.#starting.delete(id);
  }

  add(dyno: DockerDyno): void {
    this.#dynos.set(dyno.parts.dyno, dyno);
  }

  delete(id: DynoId): void {
    this.#dynos.delete(id);
  }

  /** Takes in what a former agent left, which are all that there are. */
  adopt(dynos: readonly DockerDyno[]): void {
    for (const dyno of dynos) this.add(dyno);
    this.#hasListed = true;
  }

  /** The one that runs under this id, if it has not ended. */
  running(id: DynoId): DockerDyno | null {
    const dyno = this.#dynos.get(id);
    return dyno === undefined || dyno.exited !== null ? null : dyno;
  }

  /** @throws PlatformError `not_found` */
  mustRun(id: DynoId): DockerDyno {
    const dyno = this.running(id);
    if (dyno !== null) return dyno;
    throw new PlatformError('not_found', `Cannot look into dyno "${id}": it does not run here`, {
      resource: 'dyno',
    });
  }

  /** @throws PlatformError `conflict` when it has no client to come, or had one */
  mustAttach(id: DynoId): DockerDyno {
    const dyno = this.#dynos.get(id);
    if (dyno?.parts.stdio?.attachment.isTaken === false) return dyno;
    const reason = dyno === undefined ? 'there is no such dyno' : 'it takes one client, once';
    throw new PlatformError('conflict', `Cannot attach to dyno "${id}": ${reason}`);
  }

  /** The one whose network this container holds. */
  ofBerth(berth: string): DockerDyno | null {
    return this.all().find(({ parts }) => parts.berth === berth) ?? null;
  }

  /** Writes down how far their logs were read: the next agent goes on from there. */
  async savePositions(files: LaunchFiles): Promise<void> {
    for (const dyno of this.all()) {
      const position = dyno.newPosition();
      if (position !== null) await files.savePosition(dyno.parts.dyno, position);
    }
  }
}
