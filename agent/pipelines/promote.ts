import type { Logger } from 'pino';
import type { Duty } from '../../src/ledger/duty.ts';
import { promotionOf, targetsLeft } from '../../src/ledger/pipelines/pipeline-duties.ts';
import type { PeerHost } from '../../src/shell/host.ts';

export type PromoteParts = { readonly host: Pick<PeerHost, 'view' | 'command'>; readonly log: Logger };

/**
 * Makes the releases of a promotion that are not there yet. Each is one write that carries the promotion's name, so that
 * whoever does it after us finds what is done; the slug travels to where it is to run by itself, as any release's.
 */
export async function carryPromotion(
  { host, log }: PromoteParts,
  duty: Duty,
  signal: AbortSignal,
): Promise<void> {
  const id = promotionOf(duty);
  const promotion = host.view().promotions.get(id);
  if (promotion === undefined) return;
  const failures: unknown[] = [];
  for (const app of targetsLeft(host.view(), promotion)) {
    signal.throwIfAborted();
    try {
      await host.command(
        { type: 'release.promote', app, promotion: id },
        { user: promotion.user, request: null },
      );
    } catch (err) {
      // The others need not wait for this one.
      log.info({ app, promotion: id, err }, 'target not promoted');
      failures.push(err);
    }
  }
  if (failures.length > 0) throw failures[0];
}
