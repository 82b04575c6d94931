import type { ProcessType } from '../../ids.ts';
import { digest } from '../codec.ts';
import type { App } from './app-types.ts';

/**
 * Names what a slot should run: the app's release, the last restarts asked of the app, the type and the slot, and what
 * the type mounts. A dyno of another generation is replaced. Null where there is nothing to run.
 */
export function generationOf(app: App, type: ProcessType, index: number): string | null {
  if (app.current === null) return null;
  const restarts = ['', type, `${type}.${index}`].flatMap(
    (scope) => app.restarts.get(scope)?.slice(0, 8) ?? [],
  );
  return [app.current.slice(0, 16), ...restarts, ...mountsOf(app, type)].join('.');
}

/** What is mounted, and which copy of it: a restored volume is another one to a dyno that runs. */
function mountsOf(app: App, type: ProcessType): readonly string[] {
  const mounted = [...app.volumes.values()]
    .filter(({ mount }) => mount?.type === type)
    .map(({ place, mount }) => `${mount?.by}/${place.copy}`);
  return mounted.length === 0 ? [] : [digest(mounted.sort().join(' ')).slice(0, 8)];
}
