import type { AddonId } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import { oneAfterAnother, settleClaims } from '../lasting-claims.ts';
import type { LastingClaim } from '../lasting-claims.ts';
import { freeName } from '../names.ts';
import { isGone } from './fold-addon.ts';
import type { AddonRegisters } from './fold-addon.ts';

const NAME_LENGTH_MAX = 100;

type NameClaim = LastingClaim<string> & { readonly holder: AddonId };

/**
 * The names that add-ons are shown under. Where two peers gave one name at once, the earlier add-on has it, and the later
 * becomes `name-xxxx`, with as much of its id as makes it unique. It stays that, even when the name becomes free: users
 * have seen it, and scripts use it. Whoever wants the free name renames it.
 */
export function assignAddonNames(apps: Iterable<AppState>): ReadonlyMap<AddonId, string> {
  const claims = [...apps].flatMap(({ addons }) =>
    [...addons].flatMap(([addon, state]) => claimsOf(addon, state)),
  );
  const settled = settleClaims(claims, ({ holder, value }: NameClaim, isTaken) =>
    freeName(value, holder, isTaken, NAME_LENGTH_MAX),
  );
  return new Map([...settled].map(([{ holder }, name]) => [holder, name]));
}

/** What it was to be called, one name after the other. */
function claimsOf(holder: AddonId, state: AddonRegisters): readonly NameClaim[] {
  const { created, name, renames, settled } = state;
  if (created === null) return [];
  const first = { id: created.id, hlc: created.hlc, value: created.body.name };
  const all = oneAfterAnother([first, ...renames], name[0] ?? first);
  const end = isGone(state) ? (settled[0]?.hlc ?? null) : null;
  return all.map((each, at) => ({ ...each, holder, until: all[at + 1]?.hlc ?? end }));
}
