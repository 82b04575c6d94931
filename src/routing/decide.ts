import type { DynoId } from '../ids.ts';
import { chooseTarget, type Draw } from './choose.ts';
import type { HCode } from './codes.ts';
import type { RouteApp, RouteTarget } from './table.ts';

/** What the router process knows beside the table. */
export type RouterView = {
  readonly inFlight: (target: RouteTarget) => number;
  /** Refused, timed out or gone a moment ago. */
  readonly isEjected: (target: RouteTarget) => boolean;
  readonly inFlightMax: number;
};

/** How far one request has come. */
export type RequestProgress = {
  /** Connections tried so far. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** Dynos that took this request and closed without a byte: not asked again. */
  readonly avoid: ReadonlySet<DynoId>;
  /** How the last attempt failed. */
  readonly lastCode: HCode | null;
  /** It was held for as long as one may be. */
  readonly isOverdue: boolean;
};

export type Decision =
  | { readonly tag: 'try'; readonly target: RouteTarget }
  /** Ask again when the table, an ejection or the load has changed. */
  | { readonly tag: 'hold' }
  | { readonly tag: 'fail'; readonly code: HCode };

/** Where a request for `app` goes now. */
export function decide(app: RouteApp, view: RouterView, progress: RequestProgress, draw: Draw): Decision {
  if (app.maintenance) return fail('H80');
  if (app.blank) return fail('H81');
  if (progress.attempts >= progress.attemptsMax) return fail(progress.lastCode ?? 'H99');
  if (app.up.length === 0) return decideWithoutDynos(app, progress);
  const willing = app.up.filter((target) => !progress.avoid.has(target.dyno));
  if (willing.length === 0) return fail(progress.lastCode ?? 'H13');
  const sound = willing.filter((target) => !view.isEjected(target));
  const free = sound.filter((target) => view.inFlight(target) < view.inFlightMax);
  const target = chooseTarget(free, view.inFlight, draw);
  if (target !== null) return { tag: 'try', target };
  if (!progress.isOverdue) return { tag: 'hold' };
  return fail(sound.length > 0 ? 'H11' : (progress.lastCode ?? 'H34'));
}

/**
 * Nothing is up. A crash or a formation of zero is final; anything else is about to change: a dyno boots, or the
 * peer that ran it has just died and another takes over.
 */
function decideWithoutDynos(app: RouteApp, progress: RequestProgress): Decision {
  if (app.webQuantity === 0 && !app.starting) return fail('H14');
  if (app.crashed && !app.starting) return fail('H10');
  return progress.isOverdue ? fail('H20') : { tag: 'hold' };
}

function fail(code: HCode): Decision {
  return { tag: 'fail', code };
}
