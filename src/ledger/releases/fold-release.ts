import type { AppId, OpId, ReleaseId } from '../../ids.ts';
import { digest } from '../codec.ts';
import { compareStamps } from '../hlc.ts';
import { LayeredMap } from '../layered-map.ts';
import type { LayeredEdit } from '../layered-map.ts';
import type { OpOf } from '../op-graph.ts';
import { attachedIn, mergeSnapshots, withWrites } from './config-snapshot.ts';
import type { ReleaseLookup, Snapshot } from './config-snapshot.ts';
import { NO_PHASE, attemptsOf, isAllOrNothing, settlementOf, statusOf } from './release-status.ts';
import type { ReleasePhase } from './release-status.ts';
import type { Release } from './release-types.ts';

type ReleaseOp = OpOf<'release'>;
type PhaseOp<Kind extends 'release.attempt' | 'release.settle'> = Pick<
  OpOf<Kind>,
  'id' | 'hlc' | 'parents' | 'body'
>;

/** An app's releases and what is needed to add more. */
export type ReleaseGraph = {
  readonly releases: LayeredMap<ReleaseId, Release>;
  /** The op that each release is told by: the least id, where two peers wrote the same release. */
  readonly sources: LayeredMap<ReleaseId, ReleaseOp>;
  /** What a release on top of each starts from: all that it says or, where it did not succeed, what it leaves. */
  readonly bases: LayeredMap<ReleaseId, Snapshot>;
  /** What was said of release commands. */
  readonly phases: LayeredMap<ReleaseId, ReleasePhase>;
  readonly byOp: LayeredMap<OpId, ReleaseId>;
  readonly byNumber: LayeredMap<number, readonly ReleaseId[]>;
  /** Releases without children. */
  readonly heads: ReadonlySet<ReleaseId>;
};

export function emptyReleases(): ReleaseGraph {
  return {
    releases: LayeredMap.empty(),
    sources: LayeredMap.empty(),
    bases: LayeredMap.empty(),
    phases: LayeredMap.empty(),
    byOp: LayeredMap.empty(),
    byNumber: LayeredMap.empty(),
    heads: new Set(),
  };
}

/**
 * The same write is one release, at whichever peer it was made: its id comes from its parents and the client's
 * request, a merge's from its parents alone.
 * @param parents sorted
 */
export function releaseIdOf(app: AppId, parents: readonly ReleaseId[], op: ReleaseOp): ReleaseId {
  const { cause, request } = op.body;
  const salt = cause === 'merge' ? [] : [request ?? op.id];
  return digest(
    JSON.stringify([cause === 'merge' ? 'merge' : 'release', app, parents, ...salt]),
  ) as ReleaseId;
}

/** What dynos run: of the succeeded releases that no succeeded one follows, the latest by (hlc, id). */
export function currentOf(graph: ReleaseGraph): ReleaseId | null {
  const newest = newestSucceeded(graph);
  const oldest = newest.reduce((least, { number }) => Math.min(least, number), Infinity);
  const followed = new Set(newest.length < 2 ? [] : newest.flatMap(({ parents }) => parents));
  for (const id of followed) {
    const release = graph.releases.get(id);
    if (release !== undefined && release.number > oldest)
      for (const parent of release.parents) followed.add(parent);
  }
  return (
    newest
      .filter(({ id }) => !followed.has(id))
      .sort(compareStamps)
      .at(-1)?.id ?? null
  );
}

/** The first succeeded releases on the way back from each head. */
function newestSucceeded({ heads, releases }: ReleaseGraph): Release[] {
  const way = new Set(heads);
  const found: Release[] = [];
  for (const id of way) {
    const release = releases.get(id);
    if (release?.status === 'succeeded') found.push(release);
    else for (const parent of release?.parents ?? []) way.add(parent);
  }
  return found;
}

/** What a release on top of all heads would start from. */
export function snapshotOfHeads(graph: ReleaseGraph): Snapshot {
  return mergeSnapshots([...graph.heads].sort(), lookupIn(graph));
}

/** Adds releases to a graph, parents before children. */
export class ReleaseEdit {
  #graph: { [Part in Exclude<keyof ReleaseGraph, 'heads'>]: EditOf<ReleaseGraph[Part]> };
  #heads: Set<ReleaseId>;

  constructor(graph: ReleaseGraph) {
    this.#graph = editOf(graph);
    this.#heads = new Set(graph.heads);
  }

  add(op: ReleaseOp): void {
    const { byOp, sources } = this.#graph;
    const parents = [...new Set(op.parents.flatMap((parent) => byOp.get(parent) ?? []))].sort();
    const id = releaseIdOf(op.body.app, parents, op);
    const twin = sources.get(id);
    byOp.set(op.id, id);
    if (twin !== undefined && twin.id < op.id) return;
    sources.set(id, op);
    if (twin === undefined) this.#derive(id, parents);
    else this.#deriveAgain();
  }

  attempt(op: PhaseOp<'release.attempt'>): void {
    this.#note(op, (phase) => ({ ...phase, attempts: [...phase.attempts, op] }));
  }

  settle(op: PhaseOp<'release.settle'>): void {
    this.#note(op, (phase) => ({ ...phase, settlements: [...phase.settlements, op] }));
  }

  done(): ReleaseGraph {
    const { releases, sources, bases, phases, byOp, byNumber } = this.#graph;
    return {
      releases: releases.done(),
      sources: sources.done(),
      bases: bases.done(),
      phases: phases.done(),
      byOp: byOp.done(),
      byNumber: byNumber.done(),
      heads: this.#heads,
    };
  }

  /** News of a release command counts if it was built on the release: then that is here, whatever the order. */
  #note(
    { parents, body }: { readonly parents: readonly OpId[]; readonly body: { readonly release: OpId } },
    add: (phase: ReleasePhase) => ReleasePhase,
  ): void {
    const { byOp, phases, releases } = this.#graph;
    const id = parents.includes(body.release) ? byOp.get(body.release) : undefined;
    const release = id === undefined ? undefined : releases.get(id);
    if (release === undefined) return;
    phases.set(release.id, add(phases.get(release.id) ?? NO_PHASE));
    for (const { id, parents, label } of this.#withThoseAfter(release)) this.#compute(id, parents, label);
  }

  /** A release and all that follow it, oldest first. */
  #withThoseAfter(release: Release): readonly Release[] {
    if (this.#heads.has(release.id)) return [release];
    const { releases } = this.#graph;
    const way = new Set(this.#heads);
    for (const id of way) {
      const each = releases.get(id);
      if (each !== undefined && each.number > release.number)
        for (const parent of each.parents) way.add(parent);
    }
    const oldestFirst = [...way].flatMap((id) => releases.get(id) ?? []).sort((a, b) => a.number - b.number);
    const after = new Map([[release.id, release]]);
    for (const each of oldestFirst) {
      if (each.parents.some((parent) => after.has(parent))) after.set(each.id, each);
    }
    return [...after.values()];
  }

  #derive(id: ReleaseId, parents: readonly ReleaseId[]): void {
    const { number } = this.#compute(id, parents, null);
    this.#label(id, number);
    for (const parent of parents) this.#heads.delete(parent);
    this.#heads.add(id);
  }

  /** @param label null until it is known whether others bear the number */
  #compute(id: ReleaseId, parents: readonly ReleaseId[], label: string | null): Release {
    const { releases, bases, phases } = this.#graph;
    const lookup = lookupIn(this.#graph);
    const op = lookup.source(id);
    const { body } = op;
    const inherited = mergeSnapshots(parents, lookup);
    const snapshot = withWrites(inherited, id, body);
    const number = 1 + Math.max(0, ...parents.map((parent) => lookup.release(parent).number));
    const phase = phases.get(id) ?? NO_PHASE;
    const settled = settlementOf(phase, snapshot.slug);
    const before = parents.map((parent) => lookup.release(parent).status);
    const status = statusOf(body, snapshot.slug, before, settled);
    bases.set(id, status !== 'succeeded' && isAllOrNothing(body.cause) ? inherited : snapshot);
    const release: Release = {
      id,
      op: op.id,
      number,
      label: label ?? `v${number}`,
      parents,
      cause: body.cause,
      description: body.description,
      user: body.user,
      createdAt: op.hlc.ms,
      hlc: op.hlc,
      slug: snapshot.slug,
      config: snapshot.config,
      attachments: attachedIn(snapshot),
      request: body.request,
      status,
      attempts: attemptsOf(phase, snapshot.slug),
      settled,
    };
    releases.set(id, release);
    return release;
  }

  /** A number alone is a label until a second release bears it. */
  #label(id: ReleaseId, number: number): void {
    const { releases, byNumber } = this.#graph;
    const others = byNumber.get(number) ?? [];
    byNumber.set(number, [...others, id]);
    if (others.length === 0) return;
    for (const same of [...others, id]) {
      const release = releases.get(same);
      if (release !== undefined) releases.set(same, { ...release, label: `v${number}.${same.slice(0, 4)}` });
    }
  }

  /** A release is now told by another op, with another time and perhaps other values: all that follows it may differ. */
  #deriveAgain(): void {
    const { releases, sources, byOp, phases } = this.done();
    const oldestFirst = [...releases.values()].sort((a, b) => a.number - b.number || compareStamps(a, b));
    const kept = { sources: sources.edit(), byOp: byOp.edit(), phases: phases.edit() };
    this.#graph = { ...editOf(emptyReleases()), ...kept };
    this.#heads = new Set();
    for (const { id, parents } of oldestFirst) this.#derive(id, parents);
  }
}

type EditOf<Map> = Map extends LayeredMap<infer Key, infer Value> ? LayeredEdit<Key, Value> : never;

function editOf(graph: ReleaseGraph) {
  return {
    releases: graph.releases.edit(),
    sources: graph.sources.edit(),
    bases: graph.bases.edit(),
    phases: graph.phases.edit(),
    byOp: graph.byOp.edit(),
    byNumber: graph.byNumber.edit(),
  };
}

function lookupIn(graph: {
  readonly [Part in 'releases' | 'sources' | 'bases']: { get(id: ReleaseId): ValueOf<Part> | undefined };
}): ReleaseLookup & { source(id: ReleaseId): ReleaseOp } {
  return {
    release: (id) => must(graph.releases.get(id), id),
    source: (id) => must(graph.sources.get(id), id),
    body: (id) => must(graph.sources.get(id), id).body,
    base: (id) => must(graph.bases.get(id), id),
  };
}

type ValueOf<Part extends keyof ReleaseGraph> =
  ReleaseGraph[Part] extends LayeredMap<ReleaseId, infer Value> ? Value : never;

function must<T>(found: T | undefined, id: ReleaseId): T {
  if (found === undefined) throw new Error(`Release "${id}" is not in its app's graph`);
  return found;
}
