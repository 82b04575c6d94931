import type { Sealed } from '../../src/ledger/op.ts';
import { compareStamps } from '../../src/ledger/hlc.ts';
import type { App, Release } from '../../src/ledger/view.ts';
import type { Disk } from './disk.ts';

/**
 * What every app's config must be, worked out anew and in the plainest way from the releases alone: of the writes of a
 * key, those that no other write of it has seen; of these the latest by (hlc, id). The fold gets there by merging
 * snapshots step by step, so the two share no code.
 */
export function configProblems(app: App, disk: Disk): string[] {
  const current = app.current === null ? undefined : app.releases.get(app.current);
  if (current === undefined || app.heads.length !== 1) return [];
  const past = pastOf(app, current);
  const writes = new Map<string, { release: Release; value: Sealed | null }[]>();
  for (const release of past) {
    const body = disk.get(release.op)?.op.body as { config?: Record<string, Sealed | null> } | undefined;
    for (const [key, value] of Object.entries(body?.config ?? {})) {
      writes.set(key, [...(writes.get(key) ?? []), { release, value }]);
    }
  }
  const problems: string[] = [];
  for (const [key, all] of writes) {
    const seen = new Set(all.flatMap(({ release }) => [...pastOf(app, release)].slice(1)));
    const standing = all.filter(({ release }) => !seen.has(release));
    const [winner] = standing.sort((a, b) => compareStamps(b.release, a.release));
    const found = current.config.get(key);
    if (found?.by === winner?.release.id && isSame(found?.value ?? null, winner?.value ?? null)) continue;
    problems.push(`${app.name}: ${key} is of ${found?.by}, and not of ${winner?.release.id}`);
  }
  return problems;
}

/** A release and all before it, itself first. */
function pastOf(app: App, release: Release): Set<Release> {
  const past = new Set([release]);
  for (const { parents } of past) {
    for (const id of parents) {
      const parent = app.releases.get(id);
      if (parent !== undefined) past.add(parent);
    }
  }
  return past;
}

function isSame(a: Sealed | null, b: Sealed | null): boolean {
  return a === null || b === null ? a === b : Buffer.from(a).equals(b);
}
