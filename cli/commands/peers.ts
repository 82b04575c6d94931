import type { PeerResource } from '../../src/platform/peer.ts';
import { defineCommand } from '../lib/command.ts';
import { formatMemory, paintState } from '../lib/peers.ts';

export default defineCommand({
  async run({ api, screen }) {
    const peers = await api.get<readonly PeerResource[]>('/kith/peers');
    if (screen.isJson) return screen.json(peers);
    screen.table(
      ['PEER', 'STATE', 'DYNOS', 'LOAD', 'MEMORY', 'API', 'VERSION'],
      peers.map((peer) => [
        peer.self ? `${peer.name} *` : peer.name,
        paintState(peer, screen.paint),
        String(peer.dynos),
        peer.load === null ? '' : peer.load.toFixed(1),
        formatMemory(peer),
        peer.addresses.api ?? '',
        peer.version ?? '',
      ]),
    );
  },
});
