import type { AddonId } from '../../src/ids.ts';
import { attachmentsOf } from '../../src/ledger/addons/attachments.ts';
import type { PeerHost } from '../../src/shell/host.ts';

/**
 * Whether a dyno or one-off dyno runs, as far as this peer sees, that began with a release of before an add-on's present
 * config: it has older values. A peer that does not answer at this moment runs what it said last.
 */
export function oldDynosRun(host: Pick<PeerHost, 'view' | 'peers'>, addon: AddonId): boolean {
  const current = new Map(attachmentsOf(host.view(), addon).map(({ app }) => [app.id, app.current]));
  return host.peers().some(({ verdict, facts }) => {
    if (verdict === 'down' || verdict === 'gone' || facts === null) return false;
    return [...facts.dynos, ...facts.oneOffs].some(
      ({ app, release }) => current.has(app) && current.get(app) !== release,
    );
  });
}
