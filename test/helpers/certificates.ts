import { createClusterCa, issueLeaf, type PemPair } from '../../agent/api/ca.ts';

/** A certificate of an authority of this test alone, and that authority for the client to trust. */
export type TestCertificate = { readonly cert: string; readonly key: string; readonly ca: string };

let authority: Promise<PemPair> | null = null;

/** The tests' own authority. */
export function testAuthority(): Promise<PemPair> {
  authority ??= createClusterCa();
  return authority;
}

/** A certificate for these names (and for localhost, as all that it issues), its authority's after it. */
export async function certificateFor(...names: string[]): Promise<TestCertificate> {
  const ca = await testAuthority();
  const leaf = await issueLeaf(ca, names);
  return { cert: `${leaf.certPem}\n${ca.certPem}\n`, key: leaf.keyPem, ca: ca.certPem };
}
