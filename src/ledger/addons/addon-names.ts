import type { AddonId } from '../../ids.ts';
import type { AppState } from '../apps/app-state.ts';
import { compareHlc, compareStamps } from '../hlc.ts';
import { freeName } from '../names.ts';
import type { Hlc } from '../hlc.ts';
import type { Write } from '../register.ts';
import { isGone } from './fold-addon.ts';
import type { AddonRegisters } from './fold-addon.ts';

const NAME_LENGTH_MAX = 100;

/** That an add-on was to bear a name (`value`), until another moment; null: it has not given it up. */
type NameClaim = Write<string> & { readonly addon: AddonId; readonly until: Hlc | null };

/**
 * The names that add-ons are shown under. Where two peers gave one name at once, the earlier add-on has it, and the later
 * becomes `name-xxxx`, with as much of its id as makes it unique. It stays that, even when the name becomes free: users
 * have seen it, and scripts use it. Whoever wants the free name renames it.
 */
export function assignAddonNames(apps: Iterable<AppState>): ReadonlyMap<AddonId, string> {
  const claims = [...apps]
    .flatMap(({ addons }) => [...addons].flatMap(([addon, state]) => claimsOf(addon, state)))
    .sort(compareStamps);
  const names = new Map<AddonId, string>();
  const taken = new Map<string, NameClaim>();
  for (const claim of claims) {
    const isTaken = (name: string): boolean => {
      const holder = taken.get(name);
      if (holder === undefined || holder.addon === claim.addon) return false;
      return holder.until === null || compareHlc(claim.hlc, holder.until) < 0;
    };
    const { addon, value: wanted } = claim;
    const name = isTaken(wanted) ? freeName(wanted, addon, isTaken, NAME_LENGTH_MAX) : wanted;
    taken.set(name, claim);
    names.set(addon, name);
  }
  return names;
}

/** What it was to be called, one name after the other. */
function claimsOf(addon: AddonId, state: AddonRegisters): readonly NameClaim[] {
  const { created, name, renames, settled } = state;
  if (created === null) return [];
  const first = { id: created.id, hlc: created.hlc, value: created.body.name };
  const last = name[0] ?? first;
  // One with a later time than the last was seen by its writer, and replaced: a clock there was ahead.
  const before = [first, ...renames].filter((each) => compareStamps(each, last) < 0).sort(compareStamps);
  const end = isGone(state) ? (settled[0]?.hlc ?? null) : null;
  return [...before, last].map((each, at) => {
    const next = before[at + 1] ?? (at < before.length ? last : null);
    return { ...each, addon, until: next?.hlc ?? end };
  });
}
