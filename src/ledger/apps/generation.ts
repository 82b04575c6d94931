import type { ProcessType } from '../../ids.ts';
import { digest } from '../codec.ts';
import type { App } from './app-types.ts';

/**
 * Names what a slot should run: the app's release, the last restarts asked of the app, the type and the slot, what the
 * type mounts, and whether it is open. A dyno of another generation is replaced. Null where there is nothing to run.
 */
export function generationOf(app: App, type: ProcessType, index: number): string | null {
  if (app.current === null) return null;
  const restarts = ['', type, `${type}.${index}`].flatMap(
    (scope) => app.restarts.get(scope)?.slice(0, 8) ?? [],
  );
  return [app.current.slice(0, 16), ...restarts, ...mountsOf(app, type), ...openOf(app, type)].join('.');
}

/** Whether dynos of this type are given a port: those of `web`, and those of types that were opened. */
export function listens(app: App, type: ProcessType): boolean {
  return type === 'web' || app.ports.has(type);
}

/** Another number is none of its business: it is reached at a port of its own, whatever others call it. */
function openOf(app: App, type: ProcessType): readonly string[] {
  return type !== 'web' && listens(app, type) ? ['open'] : [];
}

/** What is mounted, and which copy of it: a restored volume is another one to a dyno that runs. */
function mountsOf(app: App, type: ProcessType): readonly string[] {
  const mounted = [...app.volumes.values()]
    .filter(({ mount }) => mount?.type === type)
    .map(({ place, mount }) => `${mount?.by}/${place.copy}`);
  return mounted.length === 0 ? [] : [digest(mounted.sort().join(' ')).slice(0, 8)];
}
