import { createHash, randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { PlatformError } from '../../../src/errors.ts';
import type { SlugFile, SlugFiles } from '../../../src/shell/slug-files.ts';
import { appTar, folderTar } from './app-tar.ts';
import { engineError, statusOf, unlessGone, within, type Engine } from '../../lib/engine.ts';
import { imageArchive } from './image-archive.ts';
import { LABEL, ownedBy } from './labels.ts';

/** For each step: an Engine on a slow disk takes a while over a big slug. */
const STEP_MS_MAX = 300_000;

type Kind = 'slug' | 'layer' | 'image';

type Options = { readonly engine: Engine; readonly peer: string; readonly stackImage: string };

/**
 * Slugs as images: the stack, the layers that many slugs share, the slug. Each is made once per Engine and bears a tag of
 * every peer that needs it, so that no peer takes away another's.
 */
export class SlugImages {
  readonly #engine: Engine;
  readonly #peer: string;
  readonly #stackImage: string;
  readonly #making = new Map<string, Promise<string>>();

  constructor({ engine, peer, stackImage }: Options) {
    this.#engine = engine;
    this.#peer = peer;
    this.#stackImage = stackImage;
  }

  /** Whether containers in the Engine may be images on their way. */
  get isBusy(): boolean {
    return this.#making.size > 0;
  }

  /** The image of a slug, made unless it is there. */
  async prepare(slug: SlugFiles): Promise<string> {
    const running = this.#making.get(slug.id) ?? this.#make(slug);
    this.#making.set(slug.id, running);
    try {
      return await running;
    } catch (cause) {
      throw slugError(slug, cause);
    } finally {
      this.#making.delete(slug.id);
    }
  }

  /** The image of a slug with empty folders at these paths, whatever the slug has there: volumes are mounted on them. */
  async withFolders(image: string, slug: SlugFiles, paths: readonly string[]): Promise<string> {
    if (paths.length === 0) return image;
    const made = hashOf([image, ...paths.toSorted()]);
    const below = slug.layers.map(({ id }) => id).join(',');
    const labels = { [LABEL.slug]: slug.id, [LABEL.made]: made, [LABEL.layers]: below };
    const tag = this.#tag('slug', made);
    return (await this.#idOf(tag)) ?? (await this.#commit(image, folderTar(paths), tag, labels));
  }

  /** Takes this peer's tags off all images but those of `keep`; an image without tags goes. */
  async collect(keep: ReadonlySet<string>): Promise<void> {
    const kinds: readonly Kind[] = ['slug', 'image', 'layer'];
    const images = await this.#engine.listImages({
      filters: { reference: kinds.map((kind) => `kith/${kind}:${this.#peer}.*`) },
    });
    const isKept = (id: string | undefined): boolean =>
      id !== undefined && (keep.has(id) || this.#making.has(id));
    const layers = new Set(
      images
        .filter(({ Labels }) => isKept(Labels?.[LABEL.slug]))
        .flatMap(({ Labels }) => Labels[LABEL.layers]?.split(',') ?? []),
    );
    for (const { RepoTags, Labels } of images) {
      for (const tag of RepoTags ?? []) {
        const [, kind, name] = /^kith\/(\w+):\w+\.(\w+)$/.exec(tag) ?? [];
        if (!tag.includes(`:${this.#peer}.`)) continue;
        const id = kind === 'image' ? name : Labels?.[LABEL.slug];
        const isNeeded = kind === 'layer' ? layers.has(id ?? '') || this.#making.size > 0 : isKept(id);
        if (!isNeeded) await this.#untag(tag);
      }
    }
  }

  async #make(slug: SlugFiles): Promise<string> {
    if (slug.format === 'image') return await this.#load(slug);
    let base = await this.#idOf(this.#stackImage);
    if (base === null) {
      throw new PlatformError('not_found', `the stack image "${this.#stackImage}" is gone from the Engine`, {
        hint: 'kith stack:import FILE',
      });
    }
    const below = slug.layers.map(({ id }) => id);
    for (const layer of slug.layers) base = await this.#onTop(base, layer, 'layer', []);
    return await this.#onTop(base, slug, 'slug', below);
  }

  /** @param below ids of the shared layers under it */
  async #onTop(base: string, file: SlugFile, kind: Kind, below: readonly string[]): Promise<string> {
    const made = hashOf([base, file.id]);
    const tag = this.#tag(kind, made);
    const found = await this.#idOf(tag);
    if (found !== null) return found;
    const [twin] = await this.#engine.listImages({ filters: { label: [`${LABEL.made}=${made}`] } });
    if (twin !== undefined) {
      await this.#engine.getImage(twin.Id).tag(parts(tag));
      return twin.Id;
    }
    await access(file.path);
    const labels = { [LABEL.slug]: file.id, [LABEL.made]: made, [LABEL.layers]: below.join(',') };
    return await this.#commit(base, appTar(file.path), tag, labels);
  }

  async #commit(
    base: string,
    content: Readable,
    tag: string,
    labels: Readonly<Record<string, string>>,
  ): Promise<string> {
    const container = await this.#engine.createContainer({
      name: `kith-${this.#peer}-image-${randomUUID()}`,
      Image: base,
      Cmd: ['true'],
      Labels: { ...ownedBy(this.#peer, 'image'), ...labels },
      NetworkDisabled: true,
    });
    try {
      const unpacked = container.putArchive(content, { path: '/' });
      await within(STEP_MS_MAX, 'to unpack a slug', unpacked);
      const committed = container.commit({ ...parts(tag), pause: false });
      const { Id } = (await within(STEP_MS_MAX, 'to keep a slug', committed)) as { Id: string };
      return Id;
    } finally {
      await unlessGone(container.remove({ force: true }));
    }
  }

  async #load(slug: SlugFiles): Promise<string> {
    const tag = this.#tag('image', slug.id);
    const found = await this.#idOf(tag);
    if (found !== null) return found;
    await Promise.all([slug, ...slug.layers].map(({ path }) => access(path)));
    const answer = await within(
      STEP_MS_MAX,
      'to load an image',
      this.#engine.loadImage(imageArchive(slug, tag)),
    );
    const said = await within(STEP_MS_MAX, 'to load an image', text(answer));
    const loaded = await this.#idOf(tag);
    if (loaded === null) throw new Error(/"error":"([^"]*)"/.exec(said)?.[1] ?? said.trim().slice(-200));
    return loaded;
  }

  #tag(kind: Kind, name: string): string {
    return `kith/${kind}:${this.#peer}.${name}`;
  }

  async #idOf(name: string): Promise<string | null> {
    try {
      return (await this.#engine.getImage(name).inspect()).Id;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  /** One that a container still uses stays until the next time. */
  async #untag(tag: string): Promise<void> {
    try {
      await unlessGone(this.#engine.getImage(tag).remove());
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
  }
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

function parts(name: string): { repo: string; tag: string } {
  const [repo = '', tag = ''] = name.split(':');
  return { repo, tag };
}

function slugError(slug: SlugFiles, cause: unknown): PlatformError {
  if ((cause as { code?: unknown }).code === 'ENOENT' && !isSocketError(cause)) {
    const { path } = cause as { path?: string };
    return new PlatformError(
      'not_found',
      `Cannot unpack slug "${slug.id}": "${path}" is gone from this peer`,
      {
        hint: 'Deploy the app again',
        cause,
      },
    );
  }
  return engineError(`Cannot make an image of slug "${slug.id}"`, cause);
}

function isSocketError(error: unknown): boolean {
  return (error as { syscall?: string }).syscall === 'connect';
}
