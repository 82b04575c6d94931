import type { View } from '../../src/ledger/view.ts';
import type { TlsPair } from '../../src/routing/choose-certificate.ts';
import { issueLeaf, type PemPair } from '../api/ca.ts';
import type { DataKeys } from '../keys/data-keys.ts';
import { keyIdOf } from '../keys/data-keys.ts';
import type { Tasks } from '../lib/tasks.ts';
import { CA_KEY_NAME } from './found.ts';

/** The peer's server certificates, issued by itself from the cluster's CA as soon as it holds the CA's key. */
export function openTls(names: readonly string[], domain: string | null) {
  let pair: TlsPair | null = null;
  let issue: ((names: readonly string[]) => Promise<TlsPair>) | null = null;
  let from: View['ca'] = null;
  return {
    /** The API's certificate. */
    current: (): TlsPair | null => pair,
    /** Makes further ones; null before the CA's key is here. */
    issue: (): typeof issue => issue,
    follow(view: View, keys: DataKeys, tasks: Tasks): void {
      const { ca } = view;
      if (ca === null || ca === from || !keys.has(keyIdOf(ca.key) ?? '')) return;
      from = ca;
      const authority: PemPair = {
        certPem: ca.cert,
        keyPem: keys.open('cluster', CA_KEY_NAME, ca.key),
      };
      const issueBy = async (wanted: readonly string[]): Promise<TlsPair> => {
        const leaf = await issueLeaf(authority, wanted);
        return { key: leaf.keyPem, cert: `${leaf.certPem}\n${ca.cert}` };
      };
      issue = issueBy;
      tasks.run('issue certificate', async () => {
        pair = await issueBy(domain === null ? names : [...names, domain, `*.${domain}`]);
      });
    },
  };
}
