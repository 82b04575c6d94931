import { expect, test } from 'vitest';
import type { AppId, BlobId, DynoId } from '../../src/ids.ts';
import { routeTable } from '../../src/peer/route-table.ts';
import type { RouteTable } from '../../src/routing/table.ts';
import { benches, meet, only } from './builders.ts';
import type { Bench } from './builders.ts';

const APP = '00000000-0000-4000-8000-000000000001' as AppId;
const NUMBER = 61_500;
const HERE = { domain: null, internalHost: '127.64.0.1' };

/** One peer that runs `db.1` of an app, and another that knows of it. */
function twoPeers(): { a: Bench; b: Bench } {
  const [a, b] = benches(2);
  if (a === undefined || b === undefined) throw new Error('no peers');
  a.command({ type: 'app.create', app: APP, name: 'data', fallbackName: 'data' });
  const id = 'a'.repeat(64) as BlobId;
  const about = { id, bytes: 1, arch: 'any', stack: 's', commit: null, buildpack: null, source: null };
  const slug = { ...about, processTypes: { db: 'serve' } };
  a.step({ tag: 'blobs', held: [id] });
  a.command({ type: 'release.deploy', app: APP, slug, description: 'Deploy' });
  a.command({ type: 'formation.scale', app: APP, updates: [{ type: 'db', quantity: 1 }] });
  a.run(20_000);
  return { a, b };
}

function tableOf(bench: Bench): RouteTable {
  return routeTable(bench.state, 1, HERE);
}

/** The dyno that was started last. */
function started(bench: Bench): DynoId {
  const starts = only(bench.effects, 'dyno').filter(({ effect }) => effect.tag === 'fetchSlug');
  const last = starts.at(-1);
  if (last === undefined) throw new Error('no dyno was started');
  return last.life.dyno;
}

function bringUp(bench: Bench, port: number | null): DynoId {
  const dyno = started(bench);
  const address = port === null ? null : { host: '127.0.0.1', port };
  bench.step({ tag: 'dyno', dyno, event: { tag: 'slug', ok: true } });
  bench.step({ tag: 'dyno', dyno, event: { tag: 'started', address } });
  bench.step({
    tag: 'dyno',
    dyno,
    event: { tag: 'ready', address: address ?? { host: '127.0.0.1', port: 1 } },
  });
  bench.run(1_000);
  return dyno;
}

test('an open type is in the table of every peer, with those of its dynos that were given a port', () => {
  const { a, b } = twoPeers();
  const deaf = bringUp(a, null);
  expect(tableOf(a).ports).toEqual({});
  a.command({ type: 'port.open', app: APP, process: 'db', number: NUMBER });
  // The dyno from before is up, but listens nowhere; the one that replaces it is about to.
  expect(tableOf(a).ports[NUMBER]).toMatchObject({ app: APP, type: 'db', wanted: 1, up: [] });
  a.run(20_000);
  expect(tableOf(a).ports[NUMBER]?.starting).toBe(true);
  const dyno = bringUp(a, 4_000);
  expect(dyno).not.toBe(deaf);
  const target = { dyno, name: 'db.1', peer: a.id };
  expect(tableOf(a)).toMatchObject({
    internalHost: '127.64.0.1',
    ports: {
      [NUMBER]: { starting: false, up: [{ ...target, local: true, host: '127.0.0.1', port: 4_000 }] },
    },
    localDynos: { [dyno]: { host: '127.0.0.1', port: 4_000 } },
  });
  meet(a, b);
  b.hear(a, { t: 'ops', ops: a.stored.map(({ bytes }) => bytes) });
  b.hear(a, { t: 'facts', records: [a.state.own] });
  expect(tableOf(b).ports[NUMBER]?.up).toEqual([{ ...target, local: false, host: 'x1', port: 9 }]);
});

test('a dyno that is told to stop is in no table any more, and one that is closed has no port', () => {
  const { a } = twoPeers();
  a.command({ type: 'port.open', app: APP, process: 'db', number: NUMBER });
  a.run(20_000);
  bringUp(a, 4_000);
  expect(tableOf(a).ports[NUMBER]?.up).toHaveLength(1);
  a.command({ type: 'formation.scale', app: APP, updates: [{ type: 'db', quantity: 0 }] });
  a.run(100);
  expect(tableOf(a).ports[NUMBER]).toMatchObject({ wanted: 0, starting: false, up: [] });
  a.command({ type: 'port.close', app: APP, process: 'db' });
  expect(tableOf(a).ports).toEqual({});
});

test('an app that is destroyed leaves no port behind', () => {
  const { a } = twoPeers();
  a.command({ type: 'port.open', app: APP, process: 'db', number: NUMBER });
  a.command({ type: 'app.destroy', app: APP });
  expect(tableOf(a).ports).toEqual({});
});
