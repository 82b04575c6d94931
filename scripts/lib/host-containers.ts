import { realpathSync } from 'node:fs';
import { connectEngine, unlessGone, type Engine } from '../../agent/lib/engine.ts';
import { ownFilter, peerHash } from '../../agent/runtimes/docker/labels.ts';

/**
 * The dynos of a peer in the host's Engine die with the host, of which the Engine is a part.
 * @param dir the peer's data directory
 */
export async function killContainers(dir: string): Promise<void> {
  const engine = await connectEngine();
  const own = await engine.listContainers({ filters: ownFilter(peerHash(realpathSync(dir))) });
  await Promise.all(own.map(({ Id }) => unlessGone(engine.getContainer(Id).kill({ signal: 'SIGKILL' }))));
}

/**
 * Takes out of the Engine all that a peer made in it, for a peer whose data directory is going to be removed. Images that
 * other peers have names for stay theirs.
 */
export async function removeFromEngine(dir: string): Promise<void> {
  const engine = await connectEngine();
  const { containers, images, halfMade } = await inEngine(engine, dir);
  for (const id of containers) await unlessGone(engine.getContainer(id).remove({ force: true, v: true }));
  // With the last name of an image it goes, and so does what is below it and has no name.
  for (const name of [...images, ...halfMade]) await unlessGone(engine.getImage(name).remove());
}

/** What a peer has in the Engine: containers by id, its own names of images, and images of its that have no name. */
export async function inEngine(
  engine: Engine,
  dir: string,
): Promise<Record<'containers' | 'images' | 'halfMade', readonly string[]>> {
  const peer = peerHash(realpathSync(dir));
  const filters = ownFilter(peer);
  const containers = await engine.listContainers({ all: true, filters });
  const named = await engine.listImages({ filters: { reference: [`kith/*:${peer}.*`] } });
  const unnamed = await engine.listImages({ filters: { ...filters, dangling: ['true'] } });
  const names = named.flatMap(({ RepoTags }) => RepoTags ?? []);
  return {
    containers: containers.map(({ Id }) => Id),
    images: names.filter((name) => name.includes(`:${peer}.`)),
    halfMade: unnamed.map(({ Id }) => Id),
  };
}
