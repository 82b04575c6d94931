import { realpathSync } from 'node:fs';
import { connectEngine, unlessGone } from '../../agent/lib/engine.ts';
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

/** Takes out of the Engine all that a peer made in it, for a peer whose data directory is going to be removed. */
export async function removeFromEngine(dir: string): Promise<void> {
  const engine = await connectEngine();
  const filters = ownFilter(peerHash(realpathSync(dir)));
  for (const { Id } of await engine.listContainers({ all: true, filters }))
    await unlessGone(engine.getContainer(Id).remove({ force: true, v: true }));
  // An image that another of them stands on goes in a later round.
  for (let left = Infinity; ;) {
    const images = await engine.listImages({ all: true, filters });
    if (images.length === 0 || images.length >= left) return;
    left = images.length;
    for (const { Id } of images)
      await unlessGone(engine.getImage(Id).remove({ force: true })).catch(() => null);
  }
}
