import { randomInt } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Container } from 'dockerode';
import type { DynoRuntimeEvent, DynoSpec } from '../../../src/shell/runtime.ts';
import { within } from '../../lib/engine.ts';
import { mustBeMountable, ownVolumes } from '../lib/volumes.ts';
import type { Berth, Berths } from './berths.ts';
import { containerOf, dynoEnv } from './container-spec.ts';
import { holdStdio, type HeldStdio } from './container-stdio.ts';
import { DockerDyno } from './docker-dyno.ts';
import { LOG_START } from './launch-files.ts';
import { discardDyno } from './own-containers.ts';
import type { DockerParts } from './parts.ts';
import type { SlugImages } from './slug-images.ts';
import { DYNO_UID, launchText } from './wrapper.ts';

const MAKE_MS_MAX = 60_000;
const ASK_MS_MAX = 15_000;
/** Ports of dynos: nothing else listens in a dyno's own network, and an app must not rely on one. */
const [PORT_MIN, PORT_MAX] = [10_000, 60_000];

type Options = {
  readonly parts: DockerParts;
  readonly images: SlugImages;
  readonly berths: Berths;
  readonly emit: (event: DynoRuntimeEvent) => void;
};

/** Makes what a dyno needs in the Engine: its image, its network, its container, a connection for its client. */
export class DynoMaker {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @returns the dyno in its container, which is to be started; what was made is removed again when this fails */
  async make(spec: DynoSpec): Promise<DockerDyno> {
    const { parts, berths } = this.#options;
    const image = await this.#imageFor(spec);
    let berth: Berth | undefined;
    let container: Container | undefined;
    try {
      berth = await berths.take();
      const port = spec.web ? randomInt(PORT_MIN, PORT_MAX) : null;
      container = await this.#create(spec, image, berth, port);
      const stdio = spec.attach === null ? null : await attachTo(container, spec.attach.tty !== null);
      return this.#dynoOf(spec, { container, berth, port, stdio });
    } catch (error) {
      await discardDyno(parts, spec.dyno, [container?.id, berth?.id]);
      throw error;
    }
  }

  async #imageFor({ slug, volumes }: DynoSpec): Promise<string> {
    for (const { path } of volumes) mustBeMountable(path);
    const image = await this.#options.images.prepare(slug);
    // All dynos in containers have one user, to whom the volume's files belong from now on.
    await ownVolumes(volumes, DYNO_UID);
    const places = volumes.map(({ path }) => path);
    return await this.#options.images.withFolders(image, slug, places);
  }

  async #create(spec: DynoSpec, image: string, berth: Berth, port: number | null): Promise<Container> {
    const { engine, peer, files, isolation } = this.#options.parts;
    const isSlug = spec.slug.format === 'slug';
    const launchFile = isSlug
      ? await files.write(spec.dyno, launchText(dynoEnv(spec, port), spec.command))
      : '';
    const imageUser = isSlug ? '' : (await engine.getImage(image).inspect()).Config.User;
    const { diskMiB } = isolation;
    const place = { peer, image, imageUser, berth, port, launchFile, diskMiB };
    return await within(MAKE_MS_MAX, 'to make a container', engine.createContainer(containerOf(spec, place)));
  }

  #dynoOf(
    { dyno, name, slug, labels }: DynoSpec,
    made: { container: Container; berth: Berth; port: number | null; stdio: HeldStdio | null },
  ): DockerDyno {
    const { container, berth, port, stdio } = made;
    return new DockerDyno({
      dyno,
      name,
      container,
      berth: berth.id,
      hosts: berth.hosts,
      port,
      isSlug: slug.format === 'slug',
      labels,
      stdio,
      isAttached: stdio !== null,
      position: LOG_START,
      toldSeq: 0,
      emit: this.#options.emit,
    });
  }
}

async function attachTo(container: Container, isTty: boolean): Promise<HeldStdio> {
  const all = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
  const connection = await within(ASK_MS_MAX, 'to attach', container.attach(all));
  return holdStdio(connection as Duplex, isTty);
}
