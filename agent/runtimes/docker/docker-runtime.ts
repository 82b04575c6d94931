import type { Duplex, Readable } from 'node:stream';
import type { DynoId } from '../../../src/ids.ts';
import type {
  DynoRuntimeEvent,
  DynoSpec,
  DynoStats,
  ExecSession,
  ExecSpec,
  FoundDyno,
  Runtime,
  RuntimeEvent,
} from '../../../src/shell/runtime.ts';
import type { SlugFiles } from '../../../src/shell/slug-files.ts';
import { engineError, unlessGone, within } from '../../lib/engine.ts';
import { Tasks } from '../../lib/tasks.ts';
import { adoptDynos, dynoIdOf } from './adopt.ts';
import { Berths } from './berths.ts';
import { copyOutOf } from './copy-out.ts';
import type { DockerDyno } from './docker-dyno.ts';
import { DynoMaker } from './dyno-maker.ts';
import { EngineWatch, type ContainerEvent } from './engine-watch.ts';
import { execIn } from './exec.ts';
import { Housekeeping } from './housekeeping.ts';
import { signalInside } from './inside.ts';
import { KnownDynos } from './known-dynos.ts';
import { LABEL } from './labels.ts';
import { discardDyno, ownContainers, removeContainer } from './own-containers.ts';
import { openParts, type DockerParts, type DockerRuntimeOptions } from './parts.ts';
import { SlugImages } from './slug-images.ts';
import { measure } from './stats.ts';

const START_MS_MAX = 60_000;
/** Longer than the agent takes to write down which lines it has: nothing is skipped that it might yet lose. */
const POSITIONS_EVERY_MS = 3_000;

/**
 * Runs dynos as containers of the Docker Engine of this host.
 * @throws PlatformError when no Engine answers, the stack image is missing, or its network cannot be guarded
 */
export async function openDockerRuntime(options: DockerRuntimeOptions): Promise<Runtime> {
  return await DockerRuntime.open(await openParts(options));
}

class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly #parts: DockerParts;
  readonly #tasks: Tasks;
  readonly #dynos = new KnownDynos();
  readonly #images: SlugImages;
  readonly #berths: Berths;
  readonly #maker: DynoMaker;
  readonly #housekeeping: Housekeeping;
  readonly #watch: EngineWatch;
  readonly #positionTimer: NodeJS.Timeout;
  #handler: (event: RuntimeEvent) => void = () => {};
  #isClosed = false;

  private constructor(parts: DockerParts) {
    const tasks = new Tasks(parts.log);
    const images = new SlugImages(parts);
    const berths = new Berths({ ...parts, tasks });
    this.#parts = parts;
    this.#tasks = tasks;
    this.#images = images;
    this.#berths = berths;
    this.#maker = new DynoMaker({ parts, images, berths, emit: this.#emit });
    this.#housekeeping = new Housekeeping({ parts, dynos: this.#dynos, images, berths, tasks });
    this.#watch = new EngineWatch({
      ...parts,
      onEvent: (event) => this.#onContainer(event),
      onConnected: () => this.#housekeeping.reconcile(),
      onAvailable: (on, reason) => this.#handler({ tag: 'available', on, reason }),
    });
    const save = (): Promise<void> => this.#dynos.savePositions(parts.files);
    this.#positionTimer = setInterval(() => tasks.run('save log positions', save), POSITIONS_EVERY_MS);
  }

  static async open(parts: DockerParts): Promise<DockerRuntime> {
    const runtime = new DockerRuntime(parts);
    try {
      await within(START_MS_MAX, 'for events', runtime.#watch.connected());
      return runtime;
    } catch (error) {
      await runtime[Symbol.asyncDispose]();
      throw error;
    }
  }

  get isolation(): string {
    return this.#parts.isolation.sentence;
  }

  get internalHost(): string {
    return this.#parts.network.gateway;
  }

  onEvent(handler: (event: RuntimeEvent) => void): void {
    this.#handler = handler;
  }

  async list(lastSeq: (dyno: DynoId) => number): Promise<readonly FoundDyno[]> {
    const parts = this.#parts;
    const isKnown = (dyno: DynoId): boolean => this.#dynos.has(dyno);
    const infos = await ownContainers(parts);
    const adopted = await adoptDynos(infos, { parts, isKnown, lastSeq, emit: this.#emit });
    this.#dynos.adopt(adopted);
    // Not yet: the caller gets the list before the first event about it.
    for (const dyno of adopted) setImmediate(() => this.#follow(dyno));
    return this.#dynos.all().map((dyno) => ({
      dyno: dyno.parts.dyno,
      labels: dyno.parts.labels,
      address: dyno.address,
      listening: dyno.isListening,
      exited: dyno.exited,
    }));
  }

  async prepare(slug: SlugFiles): Promise<void> {
    await this.#images.prepare(slug);
  }

  async start(spec: DynoSpec): Promise<void> {
    const { dyno, name } = spec;
    this.#dynos.begin(dyno, name);
    let made: DockerDyno | null = null;
    try {
      made = await this.#maker.make(spec);
      this.#dynos.add(made);
      await within(START_MS_MAX, 'to start a dyno', made.parts.container.start());
      this.#emit({ tag: 'started', dyno, address: made.address });
      this.#follow(made);
    } catch (cause) {
      this.#dynos.delete(dyno);
      if (made !== null) await this.#discard(made);
      throw engineError(`Cannot start "${name}"`, cause);
    } finally {
      this.#dynos.begun(dyno);
    }
  }

  async signal(dyno: DynoId, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGINT'): Promise<void> {
    const running = this.#dynos.running(dyno);
    if (running === null) return;
    await signalInside(running.parts.container, signal);
    if (signal === 'SIGHUP' || signal === 'SIGKILL') running.expectEnd();
  }

  async attach(dyno: DynoId): Promise<Duplex> {
    return this.#dynos.mustAttach(dyno).attach();
  }

  async resize(dyno: DynoId, columns: number, rows: number): Promise<void> {
    const running = this.#dynos.running(dyno);
    if (running !== null) await unlessGone(running.parts.container.resize({ w: columns, h: rows }));
  }

  async remove(dyno: DynoId): Promise<void> {
    const known = this.#dynos.get(dyno);
    if (known === undefined) return;
    known.close();
    this.#dynos.delete(dyno);
    await this.#discard(known);
  }

  async collect(keepSlugs: ReadonlySet<string>): Promise<void> {
    await this.#images.collect(keepSlugs);
  }

  async stats(dyno: DynoId): Promise<DynoStats | null> {
    const running = this.#dynos.running(dyno);
    return running === null ? null : await measure(running.parts);
  }

  async exec(dyno: DynoId, spec: ExecSpec): Promise<ExecSession> {
    return await execIn(this.#dynos.mustRun(dyno).parts, spec, this.#tasks);
  }

  async copyOut(dyno: DynoId, path: string): Promise<Readable> {
    return await copyOutOf(this.#dynos.mustRun(dyno).parts, path, this.#tasks);
  }

  async allowPorts(numbers: readonly number[]): Promise<void> {
    await this.#parts.portGate.allow(numbers);
  }

  async shutdown(): Promise<void> {
    await this[Symbol.asyncDispose]();
    for (const { Id } of await ownContainers(this.#parts)) await removeContainer(this.#parts.engine, Id);
    await this.#parts.files.removeOthers(() => false);
    await this.allowPorts([]).catch((err: unknown) =>
      this.#parts.log.warn({ err }, 'internal ports stay open in the firewall'),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#positionTimer);
    this.#housekeeping.close();
    await Promise.all([this.#watch.close(), this.#berths.close()]);
    for (const dyno of this.#dynos.all()) dyno.close();
    await this.#tasks.settled();
    await this.#dynos.savePositions(this.#parts.files);
  }

  readonly #emit = (event: DynoRuntimeEvent): void => this.#handler(event);

  #follow(dyno: DockerDyno): void {
    this.#tasks.run('follow dyno', () => dyno.run());
  }

  async #discard({ parts: { dyno, container, berth } }: DockerDyno): Promise<void> {
    await discardDyno(this.#parts, dyno, [container.id, berth]);
  }

  #onContainer({ container, what, labels }: ContainerEvent): void {
    if (labels[LABEL.role] === 'berth') {
      this.#berths.forget(container);
      if (what === 'die') this.#tasks.run('end dyno without network', () => this.#endOf(container));
      return;
    }
    const dyno = this.#dynos.get(dynoIdOf(labels));
    if (what === 'oom') dyno?.onOom();
    else dyno?.onDie();
  }

  /** A dyno whose network is gone serves nobody, though it lives. */
  async #endOf(berth: string): Promise<void> {
    const dyno = this.#dynos.ofBerth(berth);
    if (dyno !== null && dyno.exited === null) await signalInside(dyno.parts.container, 'SIGKILL');
  }
}
