import { decode, encode } from '@ipld/dag-cbor';
import { rm } from 'node:fs/promises';
import { PlatformError } from '../../src/errors.ts';
import type { ClusterId } from '../../src/ids.ts';
import { decodeOp } from '../../src/ledger/codec.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import type { JoinGrant, Mesh } from '../../src/shell/mesh.ts';
import type { Store } from '../../src/shell/store.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { readSecretFile, writeSecretFile } from '../lib/secret-file.ts';
import { parseInvite } from '../peer/invite-token.ts';
import type { DataDir } from './data-dir.ts';
import type { Ports } from './past.ts';

const JOIN_MS = 30_000;
const ANSWER_FIRST_MS = 200;

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

/** Has a running peer, alone and without apps, join the cluster of a token: `startOver` is called once it may. */
export async function rejoinWith(
  token: string,
  {
    host,
    mesh,
    store,
    dir,
    name,
    startOver,
  }: { host: PeerHost; mesh: Mesh; store: Store; dir: DataDir; name: string; startOver: () => void },
): Promise<void> {
  if (host.peers().length > 1 || host.view().names.size > 0) {
    throw new PlatformError('conflict', 'Cannot join: this peer has peers or apps of its own', {
      hint: 'Start an agent with a fresh data directory: kith agent --data DIR --join TOKEN',
    });
  }
  const grant = await askToJoin(mesh, token, name);
  saveGrant(dir.grant, { grant, ports: (await store.getRecord('ports')) ?? {} });
  // The client that asked gets its answer first.
  setTimeout(startOver, ANSWER_FIRST_MS);
}

/** What a peer takes along when it starts over: its ports too, as people know it by them. */
type SavedGrant = { readonly grant: JoinGrant; readonly ports: Partial<Ports> };

/**
 * A running agent that is admitted to another cluster starts over as its member. The grant waits in a file, so that
 * a crash in between loses nothing: the next start finds it.
 */
function saveGrant(path: string, saved: SavedGrant): void {
  writeSecretFile(path, Buffer.from(encode(saved)).toString('base64'));
}

export async function takeSavedGrant(path: string, storeDir: string): Promise<SavedGrant | null> {
  const text = readSecretFile(path);
  if (text === null) return null;
  const saved = decodeGrant(path, text);
  // What this peer had founded by itself held no apps: it gives way whole.
  await rm(storeDir, { recursive: true, force: true });
  return saved;
}

function decodeGrant(path: string, text: string): SavedGrant {
  try {
    return decode<SavedGrant>(Buffer.from(text, 'base64'));
  } catch (cause) {
    throw new PlatformError('internal', `The admission in "${path}" is damaged: it cannot be read`, {
      hint: 'Remove the file, start the agent, and join again with a new invite: kith join TOKEN',
      cause,
    });
  }
}
