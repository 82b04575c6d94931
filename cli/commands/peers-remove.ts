import type { PeerResource } from '../../src/platform/peer.ts';
import { defineCommand } from '../lib/line/command.ts';
import { confirm } from '../lib/line/confirm.ts';
import { peerPath } from '../lib/peers.ts';

export default defineCommand({
  args: { peer: { is: 'required', summary: 'name or id' } },
  flags: {
    confirm: { kind: 'string', short: 'c', value: 'NAME', summary: 'name of the peer, once more' },
    force: { kind: 'boolean', summary: 'even if volumes are lost with it' },
  },
  details:
    'At once no peer speaks to it any more, and the key that seals new config vars changes. One that has volumes is removed with --force alone: they are lost. Move them first, or restore backups elsewhere. To take a machine out for a while, drain it instead.',
  async run({ api, screen, args, flags, world }) {
    const peer = await api.get<PeerResource>(peerPath(args.peer));
    const lost = flags.force ? peer.volumes.map(({ app, name }) => `${name} of ${app}`) : [];
    const what = `This removes the peer ${peer.name} for ever${lost.length === 0 ? '' : `, and the volumes ${lost.join(', ')} with it`}`;
    await confirm(world, peer.name, flags.confirm, what);
    const removed = await screen.progress(`Removing ${peer.name}`, () =>
      api.delete<PeerResource>(peerPath(peer.id), flags.force ? { force: true } : undefined),
    );
    if (screen.isJson) screen.json(removed);
  },
});
