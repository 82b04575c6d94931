import { decode, encode } from '@ipld/dag-cbor';
import { rm } from 'node:fs/promises';
import { PlatformError } from '../../src/errors.ts';
import type { ClusterId } from '../../src/ids.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import type { JoinGrant, Mesh } from '../../src/shell/mesh.ts';
import type { Store } from '../../src/shell/store.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { readSecretFile, writeSecretFile } from '../lib/secret-file.ts';
import { parseInvite } from '../peer/invite-token.ts';

const JOIN_MS = 30_000;

/** Asks the peer of an invite token to let this one in. */
export async function askToJoin(mesh: Mesh, token: string, name: string): Promise<JoinGrant> {
  const { addrs, invite, secret } = parseInvite(token);
  try {
    return await mesh.join(addrs, { invite, secret, name }, AbortSignal.timeout(JOIN_MS));
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw new PlatformError('unavailable', `Cannot join: no answer at ${addrs.join(', ')}`, {
      hint: 'Is that agent running, and its mesh port reachable from here?',
      cause,
    });
  }
}

/** Makes the store that of a member: the ledger as it was granted, the keys, and where the others are. */
export async function applyGrant(grant: JoinGrant, store: Store, keys: DataKeys): Promise<void> {
  keys.add(grant.keys);
  const addresses = Object.fromEntries(grant.members.map(({ peer, addrs }) => [peer, addrs]));
  const records = { cluster: grant.cluster as ClusterId, addresses };
  await store.append(
    grant.ops.map((bytes) => decodeOp(bytes)),
    records,
  );
}

/**
 * A running agent that is admitted to another cluster starts over as its member. The grant waits in a file, so that
 * a crash in between loses nothing: the next start finds it.
 */
export function saveGrant(path: string, grant: JoinGrant): void {
  writeSecretFile(path, Buffer.from(encode(grant)).toString('base64'));
}

export async function takeSavedGrant(path: string, storeDir: string): Promise<JoinGrant | null> {
  const text = readSecretFile(path);
  if (text === null) return null;
  // What this peer had founded by itself held no apps: it gives way whole.
  await rm(storeDir, { recursive: true, force: true });
  return decode<JoinGrant>(Buffer.from(text, 'base64'));
}
