import type { AppId, OpId, ReleaseId } from '../ids.ts';
import { digest } from './codec.ts';
import { mergeSnapshots, withWrites } from './config-snapshot.ts';
import type { ReleaseLookup, Snapshot } from './config-snapshot.ts';
import { compareStamps } from './hlc.ts';
import { LayeredMap } from './layered-map.ts';
import type { LayeredEdit } from './layered-map.ts';
import type { OpOf } from './op-graph.ts';
import type { Release } from './view.ts';

type ReleaseOp = OpOf<'release'>;

/** An app's releases and what is needed to add more. */
export type ReleaseGraph = {
  readonly releases: LayeredMap<ReleaseId, Release>;
  /** The op that each release is told by: the least id, where two peers wrote the same release. */
  readonly sources: LayeredMap<ReleaseId, ReleaseOp>;
  readonly snapshots: LayeredMap<ReleaseId, Snapshot>;
  readonly byOp: LayeredMap<OpId, ReleaseId>;
  readonly byNumber: LayeredMap<number, readonly ReleaseId[]>;
  /** Releases without children. */
  readonly heads: ReadonlySet<ReleaseId>;
};

export function emptyReleases(): ReleaseGraph {
  return {
    releases: LayeredMap.empty(),
    sources: LayeredMap.empty(),
    snapshots: LayeredMap.empty(),
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

/** The head that dynos run: the latest by (hlc, id). */
export function currentOf(graph: ReleaseGraph): ReleaseId | null {
  const heads = [...graph.heads].flatMap((id) => graph.releases.get(id) ?? []);
  return heads.sort(compareStamps).at(-1)?.id ?? null;
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
    if (twin === undefined) this.#derive(id, parents, op);
    else this.#deriveAgain();
  }

  done(): ReleaseGraph {
    const { releases, sources, snapshots, byOp, byNumber } = this.#graph;
    return {
      releases: releases.done(),
      sources: sources.done(),
      snapshots: snapshots.done(),
      byOp: byOp.done(),
      byNumber: byNumber.done(),
      heads: this.#heads,
    };
  }

  #derive(id: ReleaseId, parents: readonly ReleaseId[], op: ReleaseOp): void {
    const { releases, snapshots } = this.#graph;
    const lookup = lookupIn(this.#graph);
    const { body } = op;
    const snapshot = withWrites(mergeSnapshots(parents, lookup), id, body);
    const number = 1 + Math.max(0, ...parents.map((parent) => lookup.release(parent).number));
    snapshots.set(id, snapshot);
    releases.set(id, {
      id,
      op: op.id,
      number,
      label: `v${number}`,
      parents,
      cause: body.cause,
      description: body.description,
      user: body.user,
      createdAt: op.hlc.ms,
      hlc: op.hlc,
      slug: snapshot.slug,
      config: snapshot.config,
      request: body.request,
    });
    this.#label(id, number);
    for (const parent of parents) this.#heads.delete(parent);
    this.#heads.add(id);
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
    const { releases, sources, byOp } = this.done();
    const oldestFirst = [...releases.values()].sort((a, b) => a.number - b.number || compareStamps(a, b));
    this.#graph = { ...editOf(emptyReleases()), sources: sources.edit(), byOp: byOp.edit() };
    this.#heads = new Set();
    for (const { id, parents } of oldestFirst) {
      const op = sources.get(id);
      if (op !== undefined) this.#derive(id, parents, op);
    }
  }
}

type EditOf<Map> = Map extends LayeredMap<infer Key, infer Value> ? LayeredEdit<Key, Value> : never;

function editOf(graph: ReleaseGraph) {
  return {
    releases: graph.releases.edit(),
    sources: graph.sources.edit(),
    snapshots: graph.snapshots.edit(),
    byOp: graph.byOp.edit(),
    byNumber: graph.byNumber.edit(),
  };
}

function lookupIn(graph: {
  readonly [Part in 'releases' | 'sources' | 'snapshots']: { get(id: ReleaseId): ValueOf<Part> | undefined };
}): ReleaseLookup {
  return {
    release: (id) => must(graph.releases.get(id), id),
    body: (id) => must(graph.sources.get(id), id).body,
    snapshot: (id) => must(graph.snapshots.get(id), id),
  };
}

type ValueOf<Part extends keyof ReleaseGraph> =
  ReleaseGraph[Part] extends LayeredMap<ReleaseId, infer Value> ? Value : never;

function must<T>(found: T | undefined, id: ReleaseId): T {
  if (found === undefined) throw new Error(`Release "${id}" is not in its app's graph`);
  return found;
}
