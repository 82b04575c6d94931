import { timingSafeEqual } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { JoinGrant, JoinRequest, Mesh } from '../../src/shell/mesh.ts';
import type { Store } from '../../src/shell/store.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { hashSecret } from '../peer/invite-token.ts';

/** Lets a stranger in who proves an invite, and gives it all that a member needs. */
export async function admit(
  request: JoinRequest,
  { host, mesh, store, keys }: { host: PeerHost; mesh: Mesh; store: Store; keys: DataKeys },
): Promise<JoinGrant> {
  checkInvite(request, host);
  const { peer, invite, name } = request;
  if (host.view().members.get(peer)?.state !== 'member') {
    await host.command({ type: 'member.admit', peer, invite, name }, { user: 'kith', request: null });
  }
  const ops: Uint8Array[] = [];
  for await (const bytes of store.all(() => {})) ops.push(bytes);
  const members = host
    .peers()
    .filter((status) => status.peer !== peer)
    .map((status) => ({
      peer: status.peer,
      addrs: status.peer === host.self ? mesh.addrs() : (status.facts?.addrs.mesh ?? []),
    }));
  return { cluster: host.view().cluster ?? '', members, keys: keys.export(), ops };
}

/** One answer for a wrong, used or expired invite would help nobody: the token is long and random. */
function checkInvite({ peer, invite, secret }: JoinRequest, host: PeerHost): void {
  const known = host.view().invites.get(invite);
  const again = { hint: 'Make another on a member: kith invite' };
  if (known === undefined)
    throw new PlatformError('bad_invite', 'Cannot join: this invite is not known here', again);
  if (!timingSafeEqual(Buffer.from(hashSecret(secret)), Buffer.from(known.secretHash))) {
    throw new PlatformError('bad_invite', 'Cannot join: the invite token is not valid', again);
  }
  if (known.usedBy !== null && known.usedBy !== peer) {
    throw new PlatformError('bad_invite', 'Cannot join: this invite has been used', again);
  }
  if (known.expiresAt < Date.now()) {
    const at = new Date(known.expiresAt).toISOString();
    throw new PlatformError('bad_invite', `Cannot join: this invite expired at ${at}`, again);
  }
}
