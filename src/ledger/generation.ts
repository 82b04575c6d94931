import type { ProcessType } from '../ids.ts';
import type { App } from './view.ts';

/**
 * Names what a slot should run: the app's release, and the last restarts asked of the app, the type and the slot. A
 * dyno of another generation is replaced. Null where there is nothing to run.
 */
export function generationOf(app: App, type: ProcessType, index: number): string | null {
  if (app.current === null) return null;
  const restarts = ['', type, `${type}.${index}`].flatMap(
    (scope) => app.restarts.get(scope)?.slice(0, 8) ?? [],
  );
  return [app.current.slice(0, 16), ...restarts].join('.');
}
