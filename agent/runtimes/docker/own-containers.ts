import type { ContainerInfo } from 'dockerode';
import type { DynoId } from '../../../src/ids.ts';
import { unlessGone, within, type Engine } from '../../lib/engine.ts';
import { ownFilter } from './labels.ts';
import type { DockerParts } from './parts.ts';

const ASK_MS_MAX = 15_000;

/** All containers of this peer, running or not. */
export async function ownContainers({
  engine,
  peer,
}: Pick<DockerParts, 'engine' | 'peer'>): Promise<ContainerInfo[]> {
  const list = engine.listContainers({ all: true, filters: ownFilter(peer) });
  return await within(ASK_MS_MAX, 'for containers', list);
}

/** Ends it, if it runs, and takes it out of the Engine, if it is there. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  await unlessGone(engine.getContainer(id).remove({ force: true, v: true }));
}

/**
 * Takes a dyno out of the Engine, with its network and files. What cannot be removed now, because the Engine is away, is
 * removed once it is back.
 */
export async function discardDyno(
  { engine, files, log }: Pick<DockerParts, 'engine' | 'files' | 'log'>,
  dyno: DynoId,
  containers: readonly (string | undefined)[],
): Promise<void> {
  try {
    for (const id of containers) if (id !== undefined) await removeContainer(engine, id);
    await files.remove(dyno);
  } catch (err) {
    log.warn({ dyno, err }, 'dyno not removed from the Engine yet');
  }
}
