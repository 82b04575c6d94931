import type { PeerResource } from '../../src/platform/peer.ts';
import { defineCommand } from '../lib/command.ts';
import { confirm } from '../lib/confirm.ts';
import { peerPath } from '../lib/peers.ts';

export default defineCommand({
  args: { peer: { is: 'required', summary: 'name or id' } },
  flags: { confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the peer, once more' } },
  details:
    'At once no peer speaks to it any more, and the key that seals new config vars changes.\nTo take a machine out for a while, drain it instead.',
  async run({ api, screen, args, flags, world }) {
    const peer = await api.get<PeerResource>(peerPath(args.peer));
    await confirm(world, peer.name, flags.confirm, `This removes the peer ${peer.name} for ever`);
    const removed = await screen.progress(`Removing ${peer.name}`, () =>
      api.delete<PeerResource>(peerPath(peer.id)),
    );
    if (screen.isJson) screen.json(removed);
  },
});
