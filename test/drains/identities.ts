import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createClusterCa, issueLeaf } from '../../agent/api/ca.ts';
import type { TlsIdentity } from './receivers.ts';

/** A certificate of an authority that this process trusts from now on. */
export async function trustedIdentity(): Promise<TlsIdentity> {
  const ca = await createClusterCa();
  setDefaultCACertificates([...getCACertificates('default'), ca.certPem]);
  const { certPem: cert, keyPem: key } = await issueLeaf(ca, []);
  return { cert, key };
}

/** A certificate of nobody that anybody has heard of. */
export async function unknownIdentity(): Promise<TlsIdentity> {
  const { certPem: cert, keyPem: key } = await issueLeaf(await createClusterCa(), []);
  return { cert, key };
}
