import type { PeerResource } from '../../src/platform/peer.ts';
import { defineCommand } from '../lib/line/command.ts';
import { formatMemory, paintRuntime, paintState } from '../lib/peers.ts';

export default defineCommand({
  async run({ api, screen }) {
    const peers = await api.get<readonly PeerResource[]>('/kith/peers');
    if (screen.isJson) return screen.json(peers);
    screen.table(
      ['PEER', 'STATE', 'RUNTIME', 'DYNOS', 'LOAD', 'MEMORY', 'API', 'VERSION'],
      peers.map((peer) => [
        peer.self ? `${peer.name} *` : peer.name,
        paintState(peer, screen.paint),
        paintRuntime(peer, screen.paint),
        String(peer.dynos),
        peer.load === null ? '' : peer.load.toFixed(1),
        formatMemory(peer),
        peer.addresses.api ?? '',
        peer.version ?? '',
      ]),
    );
    screen.line();
    // Most peers say the same, and at length.
    const said = Map.groupBy(peers, ({ isolation }) => isolation);
    for (const [isolation, alike] of said) {
      const who = alike.length > 1 && said.size === 1 ? 'All' : alike.map(({ name }) => name).join(', ');
      if (isolation !== null) screen.line(`${who}: ${isolation}`);
    }
    for (const { name, runtime_down: down } of peers) {
      if (down !== null) screen.line(screen.paint.red(`${name} cannot start dynos: ${down}`));
    }
  },
});
