import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { roleOf } from '../../src/platform/access.ts';
import type { View } from '../../src/ledger/view.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { createClusterCa } from '../api/ca.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { readSecretFile, writeSecretFile } from '../lib/secret-file.ts';

export const CA_KEY_NAME = 'ca-key';

/** The first op of a cluster: its founder, its certificate authority and its first data key. */
export async function foundCluster(host: PeerHost, keys: DataKeys, name: string): Promise<void> {
  const key = keys.create();
  const { certPem, keyPem } = await createClusterCa();
  const caKey = keys.seal(key, 'cluster', CA_KEY_NAME, keyPem);
  const command = {
    type: 'cluster.found',
    name,
    peer: host.self,
    caCert: certPem,
    caKey,
    key,
  } as const;
  await host.command(command, { user: 'kith', request: null });
}

/** Makes sure that the token in DIR/token works: written at the first start, made good when its op was lost. */
export async function ensureToken(host: PeerHost, path: string, name: string): Promise<void> {
  let token = readSecretFile(path)?.trim() ?? null;
  if (token === null) {
    token = `kith-${randomBytes(32).toString('base64url')}`;
    writeSecretFile(path, `${token}\n`);
  }
  const hash = createHash('sha256').update(token).digest('hex');
  if (isKnown(host.view(), hash)) return;
  const user = `admin@${name}`;
  const description = `made by ${name} at its first start`;
  await host.command(
    {
      type: 'token.create',
      token: randomUUID(),
      hash,
      user,
      description,
      scopes: ['global'],
      expiresAt: null,
      role: roleOf(host.view(), user) ?? 'admin',
    },
    { user: 'kith', request: null },
  );
}

function isKnown(view: View, hash: string): boolean {
  return [...view.tokens.values()].some((token) => token.hash === hash);
}
