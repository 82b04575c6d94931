import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type { PeerHost } from '../../src/shell/host.ts';

const KEY = 'log input';
const USER = 'token';

/**
 * Where an add-on may post log lines of its own, with its credentials in it. The password is the add-on's id, sealed: any
 * peer can tell that a peer made it, and nobody has to write it down.
 * @param api `127.0.0.1:5000`: where this peer's API is
 */
export function logInputUrl(host: PeerHost, addon: AddonId, api: string): string {
  const token = `t.${Buffer.from(host.seal(addon, KEY, addon)).toString('base64url')}`;
  return `http://${USER}:${token}@${api}/logs/${addon}/input`;
}

/** Whether these are the credentials of that URL. */
export function mayInputLogs(host: PeerHost, addon: AddonId, authorization: string | undefined): boolean {
  const [, value = ''] = /^basic\s+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  const [, user, sealed = ''] =
    /^([^:]*):t\.([\w-]{1,1000})$/.exec(Buffer.from(value, 'base64').toString()) ?? [];
  if (user !== USER) return false;
  try {
    return host.open(addon, KEY, Buffer.from(sealed, 'base64url')) === addon;
  } catch (error) {
    // Sealed for something else, under a key that is not here, or by nobody.
    if (error instanceof PlatformError) return false;
    throw error;
  }
}
