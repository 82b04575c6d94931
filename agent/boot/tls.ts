import type { View } from '../../src/ledger/view.ts';
import { issueLeaf, type PemPair } from '../api/ca.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { keyIdOf } from '../keys/data-keys.ts';
import type { Tasks } from '../lib/tasks.ts';
import { CA_KEY_NAME } from './found.ts';

/** The peer's server certificate, issued by itself from the cluster's CA as soon as it holds the CA's key. */
export function openTls(names: readonly string[], domain: string | null) {
  let pair: { key: string; cert: string } | null = null;
  let from: View['ca'] = null;
  return {
    current: (): { key: string; cert: string } | null => pair,
    follow(view: View, keys: DataKeys, tasks: Tasks): void {
      const { ca } = view;
      if (ca === null || ca === from || !keys.has(keyIdOf(ca.key) ?? '')) return;
      from = ca;
      tasks.run('issue certificate', async () => {
        const keyPem = keys.open('cluster', CA_KEY_NAME, ca.key);
        const authority: PemPair = { certPem: ca.cert, keyPem };
        const leaf = await issueLeaf(authority, domain === null ? names : [...names, domain, `*.${domain}`]);
        pair = { key: leaf.keyPem, cert: `${leaf.certPem}\n${ca.cert}` };
      });
    },
  };
}
