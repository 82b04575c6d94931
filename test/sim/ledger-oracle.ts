import type { App } from '../../src/ledger/apps/app-types.ts';
import { compareStamps } from '../../src/ledger/hlc.ts';
import type { Sealed } from '../../src/ledger/values.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
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
    // A rollback that failed is as if it had never been; config vars that were set stay.
    if (release.cause === 'rollback' && release.status !== 'succeeded') continue;
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

/** The same for the slug: of those that releases which succeeded brought. */
export function slugProblems(app: App, disk: Disk): string[] {
  const current = app.current === null ? undefined : app.releases.get(app.current);
  if (current === undefined || app.heads.length !== 1) return [];
  const writes = [...pastOf(app, current)].flatMap((release) => {
    const body = disk.get(release.op)?.op.body as { slug?: { id: string } | null } | undefined;
    return release.status === 'succeeded' && body?.slug ? [{ release, slug: body.slug.id }] : [];
  });
  const seen = new Set(writes.flatMap(({ release }) => [...pastOf(app, release)].slice(1)));
  const [winner] = writes
    .filter(({ release }) => !seen.has(release))
    .sort((a, b) => compareStamps(b.release, a.release));
  if (current.slug?.id === winner?.slug) return [];
  return [`${app.name}: its slug is ${current.slug?.id}, and not ${winner?.slug}`];
}

/** The same for formation: of the scalings of a type, those that none names as replaced; of these the latest. */
export function formationProblems(app: App, disk: Disk, isVoid: (op: string) => boolean): string[] {
  const scalings = disk
    .all()
    .filter(({ id, op }) => op.kind === 'formation.scale' && !isVoid(id))
    .map(({ id, op }) => ({ id, op, body: op.body as { app: string; type: string; quantity: number } }))
    .filter(({ body }) => body.app === app.id);
  const replaced = new Set<string>(scalings.flatMap(({ op }) => op.parents));
  const standing = scalings
    .filter(({ id }) => !replaced.has(id))
    .sort((a, b) => compareStamps({ hlc: b.op.hlc, id: b.id }, { hlc: a.op.hlc, id: a.id }));
  return [...app.formation.values()].flatMap(({ type, quantity }) => {
    const winner = standing.find(({ body }) => body.type === type);
    if (winner === undefined || winner.body.quantity === quantity) return [];
    return [`${app.name}: ${type} is ${quantity}, and not ${winner.body.quantity}`];
  });
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
