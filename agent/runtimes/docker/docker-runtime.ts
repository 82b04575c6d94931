import { randomInt } from 'node:crypto';
import { duplexPair, type Duplex, type Readable } from 'node:stream';
import type { Container, ContainerInfo } from 'dockerode';
import { PlatformError } from '../../../src/errors.ts';
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
import { Tasks } from '../../lib/tasks.ts';
import { adoptDyno, dynoIdOf } from './adopt.ts';
import { ownVolumes } from '../process/volumes.ts';
import { berthIdOf, berthOf, Berths, type Berth } from './berths.ts';
import { holdStdio, type HeldStdio } from './container-stdio.ts';
import { containerOf, dynoEnv } from './container-spec.ts';
import { copyOutOf } from './copy-out.ts';
import { DockerDyno } from './docker-dyno.ts';
import { engineError, statusOf, unlessGone, within } from './engine.ts';
import { EngineWatch, type ContainerEvent } from './engine-watch.ts';
import { execIn } from './exec.ts';
import { guardBridge } from './firewall.ts';
import { signalInside } from './inside.ts';
import { LABEL, ownFilter } from './labels.ts';
import { SlugImages } from './slug-images.ts';
import { parseStats } from './stats.ts';
import { openParts, type DockerParts, type DockerRuntimeOptions } from './parts.ts';
import { sortContainers } from './sort-containers.ts';
import { mustBeMountable } from './volumes.ts';
import { DYNO_UID, launchText } from './wrapper.ts';

const START_MS_MAX = 60_000;
const ASK_MS_MAX = 15_000;
const POSITIONS_EVERY_MS = 1_000;
const SWEEP_AGAIN_MS = 2_000;
/** Ports of dynos: nothing else listens in a dyno's own network, and an app must not rely on one. */
const [PORT_MIN, PORT_MAX] = [10_000, 60_000];

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
  readonly #images: SlugImages;
  readonly #berths: Berths;
  readonly #watch: EngineWatch;
  readonly #dynos = new Map<DynoId, DockerDyno>();
  /** On their way into the Engine: not to be taken for what nobody knows. */
  readonly #starting = new Set<string>();
  readonly #positionTimer: NodeJS.Timeout;
  #handler: (event: RuntimeEvent) => void = () => {};
  #hasListed = false;
  #sweepTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(parts: DockerParts) {
    const { engine, peer, log } = parts;
    this.#parts = parts;
    this.#tasks = new Tasks(log);
    this.#images = new SlugImages(parts);
    this.#berths = new Berths({ ...parts, tasks: this.#tasks });
    this.#watch = new EngineWatch({
      engine,
      peer,
      log,
      onEvent: (event) => this.#onContainer(event),
      onConnected: () => this.#reconcile(),
      onAvailable: (on, reason) => this.#handler({ tag: 'available', on, reason }),
    });
    this.#positionTimer = setInterval(() => this.#savePositionsSoon(), POSITIONS_EVERY_MS);
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

  onEvent(handler: (event: RuntimeEvent) => void): void {
    this.#handler = handler;
  }

  async list(lastSeq: (dyno: DynoId) => number): Promise<readonly FoundDyno[]> {
    const infos = await this.#containers();
    const berths = new Map(infos.map((info) => [info.Id, berthOf(info, this.#parts.network.name)]));
    const own = infos.filter(({ Labels, State }) => Labels[LABEL.role] === 'dyno' && State !== 'created');
    const news = own.filter(({ Labels }) => !this.#dynos.has(dynoIdOf(Labels)));
    const { engine, files } = this.#parts;
    const emit = (event: DynoRuntimeEvent): void => this.#emit(event);
    const adopted = await Promise.all(
      news.map((info) => {
        const berth = berths.get(berthIdOf(info.Labels)) ?? null;
        const toldSeq = lastSeq(dynoIdOf(info.Labels));
        return adoptDyno(info, { parts: { engine, files }, berth, toldSeq, emit });
      }),
    );
    for (const dyno of adopted) this.#dynos.set(dyno.parts.dyno, dyno);
    this.#hasListed = true;
    // Not yet: the caller gets the list before the first event about it.
    for (const dyno of adopted) setImmediate(() => this.#follow(dyno));
    return [...this.#dynos.values()].map((dyno) => ({
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
    if (this.#dynos.has(dyno) || this.#starting.has(dyno)) {
      throw new PlatformError('conflict', `Cannot start "${name}": dyno "${dyno}" was started before`);
    }
    this.#starting.add(dyno);
    let berth: Berth | null = null;
    let container: Container | null = null;
    try {
      const image = await this.#imageFor(spec);
      berth = await this.#berths.take();
      const port = spec.web ? randomInt(PORT_MIN, PORT_MAX) : null;
      container = await this.#create(spec, image, berth, port);
      const stdio = spec.attach === null ? null : await this.#attachTo(container, spec.attach.tty !== null);
      const started = this.#know(spec, container, berth, port, stdio);
      await within(START_MS_MAX, 'to start a dyno', container.start());
      this.#emit({ tag: 'started', dyno, address: started.address });
      this.#follow(started);
    } catch (cause) {
      this.#dynos.delete(dyno);
      await this.#discard(dyno, container, berth);
      throw engineError(`Cannot start "${name}"`, cause);
    } finally {
      this.#starting.delete(dyno);
    }
  }

  async signal(dyno: DynoId, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGINT'): Promise<void> {
    const known = this.#dynos.get(dyno);
    if (known === undefined || known.exited !== null) return;
    await signalInside(known.parts.container, signal);
    if (signal === 'SIGHUP' || signal === 'SIGKILL') known.expectEnd();
  }

  async attach(dyno: DynoId): Promise<Duplex> {
    const known = this.#dynos.get(dyno);
    const stdio = known?.parts.stdio ?? null;
    if (known === undefined || stdio === null || stdio.attachment.isTaken) {
      const reason = known === undefined ? 'there is no such dyno' : 'it takes one client, once';
      throw new PlatformError('conflict', `Cannot attach to dyno "${dyno}": ${reason}`);
    }
    const [inner, client] = duplexPair();
    client.once('close', () => inner.destroy());
    known.attach(inner);
    return client;
  }

  async resize(dyno: DynoId, columns: number, rows: number): Promise<void> {
    const known = this.#dynos.get(dyno);
    if (known === undefined || known.exited !== null) return;
    await unlessGone(known.parts.container.resize({ w: columns, h: rows }));
  }

  async remove(dyno: DynoId): Promise<void> {
    const known = this.#dynos.get(dyno);
    if (known === undefined) return;
    known.close();
    this.#dynos.delete(dyno);
    await this.#discard(dyno, known.parts.container, { id: known.parts.berth, hosts: [] });
  }

  async collect(keepSlugs: ReadonlySet<string>): Promise<void> {
    await this.#images.collect(keepSlugs);
  }

  async stats(dyno: DynoId): Promise<DynoStats | null> {
    const known = this.#dynos.get(dyno);
    if (known === undefined || known.exited !== null) return null;
    try {
      const options = { stream: false, 'one-shot': true } as const;
      return parseStats(await within(ASK_MS_MAX, 'for statistics', known.parts.container.stats(options)));
    } catch (error) {
      if (statusOf(error) === 404 || statusOf(error) === 409) return null;
      throw engineError(`Cannot measure "${known.parts.name}"`, error);
    }
  }

  async exec(dyno: DynoId, spec: ExecSpec): Promise<ExecSession> {
    return await execIn(this.#mustRun(dyno).parts, spec, this.#tasks);
  }

  async copyOut(dyno: DynoId, path: string): Promise<Readable> {
    return await copyOutOf(this.#mustRun(dyno).parts, path, this.#tasks);
  }

  async shutdown(): Promise<void> {
    await this[Symbol.asyncDispose]();
    for (const { Id } of await this.#containers()) {
      await unlessGone(this.#parts.engine.getContainer(Id).remove({ force: true, v: true }));
    }
    await this.#parts.files.removeOthers(() => false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#positionTimer);
    clearTimeout(this.#sweepTimer);
    await Promise.all([this.#watch.close(), this.#berths.close()]);
    for (const dyno of this.#dynos.values()) dyno.close();
    await this.#tasks.settled();
    await this.#savePositions();
  }

  async #imageFor({ slug, volumes }: DynoSpec): Promise<string> {
    mustBeMountable(volumes);
    const image = await this.#images.prepare(slug);
    // All dynos in containers have one user, to whom the volume's files belong from now on.
    if (process.getuid?.() === 0) await ownVolumes(volumes, DYNO_UID);
    const places = volumes.map(({ path }) => path);
    return await this.#images.withFolders(image, slug, places);
  }

  async #create(spec: DynoSpec, image: string, berth: Berth, port: number | null): Promise<Container> {
    const { engine, peer, files, isolation } = this.#parts;
    const isSlug = spec.slug.format === 'slug';
    const launchFile = isSlug
      ? await files.write(spec.dyno, launchText(dynoEnv(spec, port), spec.command))
      : '';
    const imageUser = isSlug ? '' : (await engine.getImage(image).inspect()).Config.User;
    const { diskGib } = isolation;
    const place = { peer, image, imageUser, berth, port, launchFile, diskGib };
    return await within(
      START_MS_MAX,
      'to make a container',
      engine.createContainer(containerOf(spec, place)),
    );
  }

  async #attachTo(container: Container, isTty: boolean): Promise<HeldStdio> {
    const all = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    const connection = await within(ASK_MS_MAX, 'to attach', container.attach(all));
    return holdStdio(connection as Duplex, isTty);
  }

  #know(
    spec: DynoSpec,
    container: Container,
    berth: Berth,
    port: number | null,
    stdio: HeldStdio | null,
  ): DockerDyno {
    const dyno = new DockerDyno({
      dyno: spec.dyno,
      name: spec.name,
      container,
      berth: berth.id,
      hosts: berth.hosts,
      port,
      isSlug: spec.slug.format === 'slug',
      labels: spec.labels,
      stdio,
      isAttached: stdio !== null,
      position: { seq: 0, since: '' },
      toldSeq: 0,
      emit: (event) => this.#emit(event),
    });
    this.#dynos.set(spec.dyno, dyno);
    return dyno;
  }

  #follow(dyno: DockerDyno): void {
    this.#tasks.run('follow dyno', () => dyno.run());
  }

  #emit(event: DynoRuntimeEvent): void {
    this.#handler(event);
  }

  #mustRun(dyno: DynoId): DockerDyno {
    const known = this.#dynos.get(dyno);
    if (known !== undefined && known.exited === null) return known;
    throw new PlatformError('not_found', `Cannot look into dyno "${dyno}": it does not run here`, {
      resource: 'dyno',
    });
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
    const dyno = [...this.#dynos.values()].find((known) => known.parts.berth === berth);
    if (dyno !== undefined && dyno.exited === null) await signalInside(dyno.parts.container, 'SIGKILL');
  }

  /** After a (re)connection: tells what ended meanwhile, and removes what is nobody's. */
  async #reconcile(): Promise<void> {
    const { engine, network, stackImage, peer, files } = this.#parts;
    await guardBridge(engine, network, { image: stackImage, peer });
    const infos = await this.#containers();
    const running = new Set(infos.filter(({ State }) => State === 'running').map(({ Id }) => Id));
    for (const [id, dyno] of this.#dynos) {
      if (!this.#starting.has(id) && !running.has(dyno.parts.container.id)) dyno.onDie();
    }
    const sorted = sortContainers(infos, {
      network: network.name,
      isWanted: (info) => this.#isWanted(info),
      isSpare: (id) => this.#berths.has(id),
    });
    const isBusy = this.#starting.size > 0 || this.#images.isBusy || this.#berths.isBusy;
    if (!this.#hasListed) for (const berth of sorted.idleBerths) this.#berths.adopt(berth);
    const left = [
      ...sorted.strays.map(({ Id }) => Id),
      ...(this.#hasListed ? sorted.idleBerths.map(({ id }) => id) : []),
    ];
    // What is on its way cannot be told from what is nobody's: that is looked at again.
    if (isBusy) this.#sweepSoon();
    else for (const id of left) await unlessGone(engine.getContainer(id).remove({ force: true, v: true }));
    const inEngine = new Set<string>(sorted.dynos.map(({ Labels }) => dynoIdOf(Labels)));
    await files.removeOthers((id) => inEngine.has(id) || this.#starting.has(id));
    this.#berths.fill();
  }

  #sweepSoon(): void {
    clearTimeout(this.#sweepTimer);
    if (this.#isClosed) return;
    this.#sweepTimer = setTimeout(() => this.#tasks.run('sweep', () => this.#reconcile()), SWEEP_AGAIN_MS);
  }

  /** Before the first list every dyno may still be somebody's, but one that never began. */
  #isWanted({ Labels, State }: ContainerInfo): boolean {
    const id = dynoIdOf(Labels);
    if (this.#dynos.has(id) || this.#starting.has(id)) return true;
    return !this.#hasListed && State !== 'created';
  }

  async #containers(): Promise<ContainerInfo[]> {
    const filters = ownFilter(this.#parts.peer);
    return await within(
      ASK_MS_MAX,
      'for containers',
      this.#parts.engine.listContainers({ all: true, filters }),
    );
  }

  /** What cannot be removed now, because the Engine is away, is removed once it is back. */
  async #discard(dyno: DynoId, container: Container | null, berth: Berth | null): Promise<void> {
    const { engine, files, log } = this.#parts;
    try {
      if (container !== null) await unlessGone(container.remove({ force: true, v: true }));
      if (berth !== null) await unlessGone(engine.getContainer(berth.id).remove({ force: true, v: true }));
      await files.remove(dyno);
    } catch (err) {
      log.warn({ dyno, err }, 'dyno not removed from the Engine yet');
    }
  }

  #savePositionsSoon(): void {
    this.#tasks.run('save log positions', () => this.#savePositions());
  }

  async #savePositions(): Promise<void> {
    for (const dyno of this.#dynos.values()) {
      const position = dyno.newPosition();
      if (position !== null) await this.#parts.files.savePosition(dyno.parts.dyno, position);
    }
  }
}
