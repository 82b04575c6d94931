import { createReadStream } from 'node:fs';
import { createZstdDecompress } from 'node:zlib';
import type Docker from 'dockerode';
import { followAnswer } from '../lib/docker.ts';
import { findEngine, statusOf } from '../lib/engine.ts';

/** An image of the Engine, by what the stack's own label tells. */
export type EngineImage = { readonly blob: string | null };

/** Which blob a stack image was made from. */
const LABEL = 'kith.stack';

/** The few things that the stack needs of a Docker Engine. */
export class StackEngine {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** Null when the Engine has no image of this name. */
  async image(name: string): Promise<EngineImage | null> {
    try {
      const { Config } = await this.#docker.getImage(name).inspect();
      return { blob: Config.Labels?.[LABEL] ?? null };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }

  /** Makes an image of a `.tar.zst` of a root file system. */
  async import(name: string, blob: string, path: string, signal: AbortSignal): Promise<void> {
    const file = createReadStream(path, { signal });
    const tar = createZstdDecompress();
    file.on('error', (error) => tar.destroy(error));
    const [repo, tag] = splitName(name);
    try {
      const progress = await this.#docker.importImage(file.pipe(tar), {
        repo,
        tag,
        changes: [`LABEL ${LABEL}=${blob}`, 'CMD ["bash"]'],
        abortSignal: signal,
      });
      await followAnswer(progress);
    } finally {
      file.destroy();
      tar.destroy();
    }
  }

  /** Gets an image from its registry. */
  async pull(name: string, signal: AbortSignal): Promise<void> {
    await followAnswer(await this.#docker.pull(name, { abortSignal: signal }));
  }
}

/** The Engine of this host as the stack needs it, or null where none answers. */
export async function findStackEngine(): Promise<StackEngine | null> {
  const engine = await findEngine();
  return engine === null ? null : new StackEngine(engine);
}

/** `localhost:5000/a/b:c` is the repository `localhost:5000/a/b` and the tag `c`. */
function splitName(name: string): readonly [string, string] {
  const at = name.indexOf(':', name.lastIndexOf('/') + 1);
  return at < 0 ? [name, 'latest'] : [name.slice(0, at), name.slice(at + 1)];
}
