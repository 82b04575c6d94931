import { PlatformError } from '../../errors.ts';
import type { PeerId } from '../../ids.ts';
import { heightsOf } from '../author-logs.ts';
import type { AuthorLogs } from '../author-logs.ts';
import type { CommandOf } from '../command.ts';
import type { Fold } from '../fold.ts';
import type { OpDraft } from '../op.ts';
import { headsOf } from '../register.ts';
import { volumesAt } from '../volumes/volumes-at.ts';

/** The founder is a member by founding. */
export function foundCluster({ view }: Fold, command: CommandOf<'cluster.found'>): readonly OpDraft[] {
  if (view.cluster !== null) {
    throw new PlatformError('conflict', `Cannot found a cluster: this peer belongs to "${view.cluster}"`);
  }
  const { name, caCert, caKey, key } = command;
  return [
    { parents: [], body: { kind: 'cluster.found', name, caCert, caKey } },
    { parents: [], body: { kind: 'key.rotate', key } },
  ];
}

export function createInvite({ view }: Fold, command: CommandOf<'invite.create'>): readonly OpDraft[] {
  const { invite, secretHash, expiresAt } = command;
  if (view.invites.has(invite)) {
    throw new PlatformError('conflict', `Cannot create invite "${invite}": its id is in use`);
  }
  return [{ parents: [], body: { kind: 'invite.create', invite, secretHash, expiresAt } }];
}

/** Admitting a member again changes nothing; admitting a removed peer again makes all its ops count. */
export function admitMember({ view }: Fold, command: CommandOf<'member.admit'>): readonly OpDraft[] {
  const { peer, invite, name } = command;
  const known = view.members.get(peer);
  if (known?.state === 'member') return [];
  if (invite !== null) mustOpenInvite(view, invite, peer);
  return [{ parents: known?.heads ?? [], body: { kind: 'member.admit', peer, invite, name } }];
}

/** All that this peer holds of the removed peer's logs still counts. */
export function removeMember(
  { view }: Fold,
  logs: AuthorLogs,
  { peer, force = false }: CommandOf<'member.remove'>,
): readonly OpDraft[] {
  const known = view.members.get(peer);
  if (known?.state !== 'member') {
    throw new PlatformError('not_found', "Couldn't find that peer.", {
      resource: 'peer',
      hint: '`peers` lists the members',
    });
  }
  const others = [...view.members.values()].filter(
    (member) => member.state === 'member' && member.peer !== peer,
  );
  if (others.length === 0) {
    throw new PlatformError('invalid_params', `Cannot remove "${known.name}": it is the only member`);
  }
  const volumes = volumesAt(view, peer);
  if (volumes.length > 0 && !force) {
    const names = volumes.map(({ app, volume }) => `"${volume.name}" of "${app.name}"`);
    const what = names.length === 1 ? `volume ${names[0]} is` : `volumes ${names.join(', ')} are`;
    throw new PlatformError('conflict', `Cannot remove "${known.name}": ${what} there and would be lost`, {
      hint: 'Move them first with `kith volumes:move`; if that machine is dead for good, use --force',
    });
  }
  return [{ parents: known.heads, body: { kind: 'member.remove', peer, cut: heightsOf(logs, peer) } }];
}

export function rotateKey({ view, state }: Fold, { key }: CommandOf<'key.rotate'>): readonly OpDraft[] {
  if (view.dataKey === key) return [];
  return [{ parents: headsOf(state.access.dataKey), body: { kind: 'key.rotate', key } }];
}

function mustOpenInvite(view: Fold['view'], id: string, peer: PeerId): void {
  const invite = view.invites.get(id);
  if (invite !== undefined && (invite.usedBy === null || invite.usedBy === peer)) return;
  const found = invite === undefined ? 'is not known here' : 'has been used';
  throw new PlatformError('bad_invite', `Cannot join: this invite ${found}`, {
    hint: 'Make another on a member: kith invite',
  });
}
