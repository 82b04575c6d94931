import type { PeerId } from '../ids.ts';
import { assertNever } from '../step.ts';
import { digest } from './codec.ts';
import type { Command } from './command.ts';
import type { View } from './view.ts';

/** No app is called so. */
const USERS = 'the users';
const PORTS = 'the ports';

/**
 * The order in which peers are a thing's home: all that know the same peers agree, and a peer that comes or goes
 * changes the first place of few things. @see Thaler & Ravishankar 1998, rendezvous hashing
 */
export function rendezvousOrder(key: string, peers: readonly PeerId[]): PeerId[] {
  return peers
    .map((peer) => ({ peer, score: digest(`${key}\n${peer}`) }))
    .sort((a, b) => (a.score < b.score ? 1 : a.score > b.score ? -1 : 0))
    .map(({ peer }) => peer);
}

/**
 * What a command's writers must meet over, so that release numbers are gap-free and names are given once: the app,
 * or the name that is asked for. Null: nothing to collide with, written where it is asked.
 */
export function homeKey(view: View, command: Command): string | null {
  switch (command.type) {
    case 'cluster.found':
    case 'invite.create':
    case 'member.remove':
    case 'key.rotate':
    case 'token.create':
    case 'token.update':
    case 'token.revoke':
    case 'stack.set':
    case 'acme.set':
    // Of these, one peer is the only writer at any time: what it has written must be in its own ledger first.
    case 'volume.hold':
    case 'volume.move':
    case 'volume.ready':
    case 'volume.return':
    // Each has an id of its own.
    case 'volume.backup':
      return null;
    // Or else two admins could take each other's role at two peers, and nobody would be left.
    case 'user.set':
      return USERS;
    // Numbers are given once in the cluster, to whichever app.
    case 'port.open':
      return PORTS;
    case 'member.admit':
      // An invite lets one peer in, wherever two hosts come with it.
      return command.invite;
    case 'app.create':
      return command.name ?? command.fallbackName;
    case 'app.update': {
      const isRename = command.name !== undefined && command.name !== view.apps.get(command.app)?.name;
      return isRename ? command.name : command.app;
    }
    case 'provider.set':
    case 'provider.remove':
      return command.provider;
    case 'domain.add':
      return command.hostname.toLowerCase();
    case 'pipeline.set':
      return command.name === undefined ? command.pipeline : `pipeline ${command.name}`;
    case 'pipeline.remove':
    case 'pipeline.config':
    case 'pipeline.review':
      return command.pipeline;
    case 'setup.create':
      return command.name ?? command.fallbackName;
    // The home of the source has heard of its latest release.
    case 'promotion.create':
      return command.source;
    case 'release.promote':
    case 'coupling.set':
    case 'setup.settle':
    case 'slug.create':
    case 'addon.create':
    case 'addon.settle':
    case 'addon.config':
    case 'addon.rename':
    case 'addon.plan':
    case 'addon.answer':
    case 'addon.rotate':
    case 'addon.rotated':
    case 'addon.destroy':
    case 'attachment.add':
    case 'attachment.remove':
    case 'attachment.sync':
    case 'app.destroy':
    case 'app.transfer':
    case 'collaborator.set':
    case 'config.patch':
    case 'release.deploy':
    case 'release.rollback':
    case 'release.merge':
    case 'release.attempt':
    case 'release.settle':
    case 'formation.scale':
    case 'formation.restart':
    case 'volume.create':
    case 'volume.mount':
    case 'volume.destroy':
    case 'domain.remove':
    case 'domain.update':
    case 'cert.set':
    case 'cert.remove':
    case 'acm.set':
    case 'acme.challenge':
    case 'acm.fail':
    case 'acm.issue':
    case 'drain.add':
    case 'drain.set':
    case 'drain.remove':
    case 'port.close':
    case 'buildpacks.set':
    case 'build.record':
      return command.app;
    default:
      return assertNever(command);
  }
}
