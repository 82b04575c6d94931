import type { Logger } from 'pino';
import type { Duty } from '../../src/ledger/duty.ts';
import { appOfDuty } from '../../src/ledger/pipelines/pipeline-duties.ts';
import { staleAt } from '../../src/platform/review-app.ts';
import type { PeerHost } from '../../src/shell/host.ts';

export type WatchParts = { readonly host: Pick<PeerHost, 'view' | 'command'>; readonly log: Logger };

/** Destroys a review app that nothing was released to for as many days as its pipeline says. Looked at once in a while. */
export async function watchReviewApp({ host, log }: WatchParts, duty: Duty): Promise<void> {
  const view = host.view();
  const app = view.apps.get(appOfDuty(duty));
  const at = app === undefined ? null : staleAt(view, app);
  if (app === undefined || at === null || Date.now() < at) return;
  log.info({ app: app.id, name: app.name }, 'stale review app destroyed');
  await host.command({ type: 'app.destroy', app: app.id }, { user: app.owner, request: null });
}
