import type { DrainId } from '../../ids.ts';
import type { App } from '../apps/app-types.ts';
import type { Duty } from '../duty.ts';
import type { View } from '../view.ts';
import type { Drain } from './drain-types.ts';

const KEY = 'drain/';

/** Every drain is carried by one peer, for as long as it is there. */
export function drainDuties(view: View): readonly Duty[] {
  return [...view.apps.values()]
    .filter((app) => !app.destroyed)
    .flatMap((app) => [...app.drains.keys()].map((drain) => ({ kind: 'drain', key: KEY + drain }) as const));
}

export function drainOfDuty({ key }: Duty): DrainId {
  return key.slice(KEY.length) as DrainId;
}

export type FoundDrain = { readonly app: App; readonly drain: Drain };

export function findDrain(view: View, id: DrainId): FoundDrain | null {
  for (const app of view.apps.values()) {
    const drain = app.destroyed ? undefined : app.drains.get(id);
    if (drain !== undefined) return { app, drain };
  }
  return null;
}
