import { chooseTarget, type Draw } from './choose.ts';
import type { RoutePort, RouteTarget } from './table.ts';

/** How far one connection to an internal port has come. */
export type PortProgress = {
  /** Dynos tried so far. */
  readonly attempts: number;
  readonly attemptsMax: number;
  /** It waited for as long as one may. */
  readonly isOverdue: boolean;
};

/** What a router knows beside the table. */
export type PortView = {
  readonly connections: (target: RouteTarget) => number;
  /** Refused, timed out or gone a moment ago. */
  readonly isEjected: (target: RouteTarget) => boolean;
};

export type PortDecision =
  | { readonly tag: 'try'; readonly target: RouteTarget }
  /** Ask again when the table or an ejection has changed. */
  | { readonly tag: 'hold' }
  | { readonly tag: 'fail'; readonly desc: string };

/** Where a connection to an internal port goes now. @param port undefined: closed meanwhile */
export function decidePort(
  port: RoutePort | undefined,
  view: PortView,
  { attempts, attemptsMax, isOverdue }: PortProgress,
  draw: Draw,
): PortDecision {
  if (port === undefined) return fail('Port closed');
  if (attempts >= attemptsMax) return fail('Connection refused by dynos');
  const sound = port.up.filter((target) => !view.isEjected(target));
  const target = chooseTarget(sound, view.connections, draw);
  if (target !== null) return { tag: 'try', target };
  if (port.up.length > 0) return isOverdue ? fail('Dynos not reached') : { tag: 'hold' };
  if (port.wanted === 0 && !port.starting) return fail('No dynos running');
  return isOverdue ? fail('No dyno up in time') : { tag: 'hold' };
}

function fail(desc: string): PortDecision {
  return { tag: 'fail', desc };
}
