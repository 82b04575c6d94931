import { timingSafeEqual } from 'node:crypto';
import type { AddonId } from '../../src/ids.ts';
import type { PeerHost } from '../../src/shell/host.ts';

const KEY = 'log input';
const USER = 'token';

/**
 * Where an add-on may post log lines of its own, with its credentials in it. The password is the add-on's id, sealed: any
 * peer can tell that a peer made it, and nobody has to write it down. It is good under the cluster's present data key alone:
 * a machine that was removed holds the earlier ones, and could make such URLs with them.
 * @param api `127.0.0.1:5000`: where this peer's API is
 */
export function logInputUrl(host: PeerHost, addon: AddonId, api: string): string {
  const token = `t.${Buffer.from(host.seal(addon, KEY, addon)).toString('base64url')}`;
  return `http://${USER}:${token}@${api}/logs/${addon}/input`;
}

/** Whether these are the credentials of that URL, as it is now. @throws PlatformError `unavailable` without the data key */
export function mayInputLogs(host: PeerHost, addon: AddonId, authorization: string | undefined): boolean {
  const [, value = ''] = /^basic\s+(\S+)\s*$/i.exec(authorization ?? '') ?? [];
  const [, user, given = ''] =
    /^([^:]*):t\.([\w-]{1,1000})$/.exec(Buffer.from(value, 'base64').toString()) ?? [];
  // Equal texts seal to equal bytes under one key.
  const sealed = Buffer.from(host.seal(addon, KEY, addon));
  const found = Buffer.from(given, 'base64url');
  return user === USER && found.length === sealed.length && timingSafeEqual(found, sealed);
}
