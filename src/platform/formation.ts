import { PlatformError } from '../errors.ts';
import type { ProcessType } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { DEFAULT_SIZE } from '../dyno-sizes.ts';
import { formationUuid } from './ids.ts';
import { isoTime } from './time.ts';

export type FormationResource = {
  readonly id: string;
  readonly app: AppRef;
  readonly type: string;
  readonly command: string;
  readonly quantity: number;
  readonly size: string;
  readonly created_at: string;
  readonly updated_at: string;
};

/** What the current release declares, and what was scaled, by process type. */
export function processTypes(app: App): readonly ProcessType[] {
  return [...new Set([...commands(app).keys(), ...app.formation.keys()])].sort();
}

export function formationResource(app: App, type: ProcessType): FormationResource {
  const entry = app.formation.get(type);
  return {
    id: formationUuid(app.id, type),
    app: appRef(app),
    type,
    command: commands(app).get(type) ?? '',
    quantity: entry?.quantity ?? 0,
    size: entry?.size ?? DEFAULT_SIZE.name,
    created_at: isoTime(app.createdAt),
    updated_at: isoTime(entry?.updatedAt ?? app.updatedAt),
  };
}

export function mustFindProcessType(app: App, idOrType: string): ProcessType {
  const found = processTypes(app).find(
    (type) => type === idOrType || formationUuid(app.id, type) === idOrType,
  );
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Couldn't find the process type "${idOrType}" of "${app.name}".`, {
    resource: 'process_type',
    hint: 'Process types are declared in the Procfile of what was deployed',
  });
}

/** A client's quantity: absolute, or relative where it carries a sign. */
export function quantityUpdate(quantity: number | string | undefined): {
  readonly quantity?: number;
  readonly by?: number;
} {
  if (quantity === undefined) return {};
  if (typeof quantity === 'string' && /^[+-]/.test(quantity)) return { by: Number(quantity) };
  return { quantity: Number(quantity) };
}

function commands(app: App): ReadonlyMap<ProcessType, string> {
  const release = app.current === null ? undefined : app.releases.get(app.current);
  // A map, because a process type may be called `constructor`.
  return new Map(Object.entries(release?.slug?.processTypes ?? {}) as [ProcessType, string][]);
}
