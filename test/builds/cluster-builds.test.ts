import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openClusterBuilds } from '../../agent/builds/cluster-builds.ts';
import { OutputLog } from '../../agent/lib/output-log.ts';
import type { AppId, PeerId } from '../../src/ids.ts';
import type { ClusterBuilds, PendingBuild } from '../../src/shell/builds.ts';
import { MemoryNetwork } from '../helpers/memory-mesh.ts';

const APP = 'app' as AppId;
const NEVER = new AbortController().signal;

/** A peer that may have one build under way. */
class BuildingPeer {
  readonly cluster: ClusterBuilds;
  readonly output = new OutputLog();
  readonly purged: string[] = [];
  readonly stopped: string[] = [];
  readonly #build: string | null;

  constructor(network: MemoryNetwork, name: string, build: string | null, others: readonly string[]) {
    this.#build = build;
    this.cluster = openClusterBuilds({
      mesh: network.add(name),
      local: {
        pending: (app) => (build === null || app !== APP ? [] : [pendingBuild(build)]),
        output: (asked): Readable | null => (asked === build ? this.output.read() : null),
        stop: (asked, user) => this.#stop(asked, user),
        purgeCache: async (app) => void this.purged.push(app),
      },
      others: () => others as PeerId[],
      log: pino({ level: 'silent' }),
    });
  }

  #stop(build: string, user: string): boolean {
    if (build !== this.#build) return false;
    this.stopped.push(user);
    return true;
  }
}

function pendingBuild(build: string): PendingBuild {
  return {
    build,
    status: 'pending',
    commit: 'cafe',
    buildpacks: [],
    output: null,
    release: null,
    user: 'ann@example.com',
    createdAt: 1,
    updatedAt: 1,
  };
}

test('builds of all peers are listed, read while they run, and broken off, from any', async () => {
  const network = new MemoryNetwork();
  const a = new BuildingPeer(network, 'a', null, ['b', 'c']);
  const b = new BuildingPeer(network, 'b', 'build-1', ['a', 'c']);
  const c = new BuildingPeer(network, 'c', 'build-2', ['a', 'b']);
  const listed = (await a.cluster.underWay(APP)).map(({ build }) => build).sort();
  expect(listed).toEqual(['build-1', 'build-2']);
  b.output.write('first\n');
  const output = await a.cluster.read('build-1', NEVER);
  b.output.write('second\n');
  b.output.end();
  expect(output === null ? null : await text(output)).toBe('first\nsecond\n');
  expect(await a.cluster.read('build-3', NEVER)).toBe(null);
  expect(await a.cluster.cancel('build-2', 'ann@example.com')).toBe(true);
  expect(await a.cluster.cancel('build-3', 'ann@example.com')).toBe(false);
  expect([b.stopped, c.stopped]).toEqual([[], ['ann@example.com']]);
  await a.cluster.purgeCaches(APP);
  expect([a.purged, b.purged, c.purged]).toEqual([[APP], [APP], [APP]]);
});

test('a peer that cannot be reached is left out', async () => {
  const network = new MemoryNetwork();
  const a = new BuildingPeer(network, 'a', null, ['b', 'nobody']);
  const b = new BuildingPeer(network, 'b', 'build-1', ['a']);
  expect(await a.cluster.underWay(APP)).toEqual(await b.cluster.underWay(APP));
  network.cut('a' as PeerId, 'b' as PeerId);
  expect(await a.cluster.underWay(APP)).toEqual([]);
});
