import { once } from 'node:events';
import { connect } from 'node:tls';
import type { Peer } from './peer.ts';

/** Serial number of the certificate that a peer shows for this name; null while it shows none. */
export async function serialShown(peer: Peer, servername: string): Promise<string | null> {
  const { port } = new URL(peer.agent.ready.https);
  const socket = connect({ host: '127.0.0.1', port: Number(port), servername, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerX509Certificate()?.serialNumber ?? null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}
