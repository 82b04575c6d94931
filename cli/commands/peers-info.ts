import type { PeerResource } from '../../src/platform/peer.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMemory, paintState, peerPath } from '../lib/peers.ts';
import { formatMoment } from '../lib/print/time.ts';

export default defineCommand({
  args: { peer: { is: 'optional', summary: 'name or id; the one that answers' } },
  async run({ api, screen, args, world }) {
    const peer = await api.get<PeerResource>(peerPath(args.peer ?? '~'));
    if (screen.isJson) return screen.json(peer);
    screen.heading(peer.name);
    screen.line();
    const labels = Object.entries(peer.labels).map(([key, value]) => `${key}=${value}`);
    screen.facts({
      Id: peer.id,
      State: paintState(peer, screen.paint),
      Version: peer.version ?? undefined,
      Architecture: peer.arch ?? undefined,
      Runtime: peer.runtime ?? undefined,
      'Runs nothing': peer.runtime_down ?? undefined,
      Isolation: peer.isolation ?? undefined,
      API: peer.addresses.api ?? undefined,
      HTTP: peer.addresses.http ?? undefined,
      Mesh: peer.addresses.mesh.join(', ') || undefined,
      Dynos: String(peer.dynos),
      Load:
        peer.load === null
          ? undefined
          : `${peer.load.toFixed(1)}${peer.cpus === null ? '' : ` on ${peer.cpus} CPUs`}`,
      Memory: formatMemory(peer) || undefined,
      Volumes: peer.volumes.map(({ app, name }) => `${name} of ${app}`).join(', ') || undefined,
      Labels: labels.join(', ') || undefined,
      'Member since': formatMoment(peer.since, world.now()),
    });
  },
});
