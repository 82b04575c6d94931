import { expect, test } from 'vitest';
import type { BlobId, OpId, ProcessType, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { View } from '../../src/ledger/view.ts';
import { wantedSlots } from '../../src/placement/wanted.ts';
import { bareApp } from '../helpers/bare-app.ts';

const release: Release = {
  id: 'releaseaaaaaaaaaaaaaaaaaaaa' as ReleaseId,
  op: 'op-1' as OpId,
  number: 3,
  label: 'v3',
  parents: [],
  cause: 'deploy',
  description: 'Deploy 0b0e75c1',
  user: 'a@example.com',
  createdAt: 0,
  hlc: { ms: 0, n: 0 },
  slug: {
    id: 'slug-1' as BlobId,
    bytes: 1,
    arch: 'x64',
    stack: 'kith-1',
    processTypes: { web: 'node server.js', worker: 'node worker.js' },
    commit: null,
    buildpack: null,
    source: null,
  },
  config: new Map(),
  attachments: new Map(),
  request: null,
  status: 'succeeded',
  attempts: [],
  settled: null,
};

function app(
  formation: Record<string, readonly [quantity: number, size: string]>,
  patch: Partial<App> = {},
): App {
  const entries = Object.entries(formation).map(([type, [quantity, size]]) => {
    return [type as ProcessType, { type: type as ProcessType, quantity, size, updatedAt: 0 }] as const;
  });
  return bareApp({
    releases: new Map([[release.id, release]]),
    heads: [release.id],
    current: release.id,
    config: release.config,
    formation: new Map(entries),
    ...patch,
  });
}

function view(...apps: readonly App[]): View {
  return {
    cluster: null,
    clusterName: '',
    ca: null,
    members: new Map(),
    invites: new Map(),
    tokens: new Map(),
    users: new Map(),
    dataKey: null,
    apps: new Map(apps.map((one) => [one.id, one])),
    names: new Map(),
    domains: new Map(),
    providers: new Map(),
    acme: null,
    stacks: new Map(),
    pipelines: new Map(),
    ports: new Map(),
    promotions: new Map(),
    requests: new Map(),
    known: 0,
    waiting: 0,
    quarantined: new Map(),
  };
}

test('a formation asks for its slots at the current release, with the size’s memory', () => {
  const slots = wantedSlots(view(app({ worker: [1, 'standard-2x'], web: [2, 'Basic'] })));
  expect(slots.map(({ slot }) => slot)).toEqual(['app-1/web.1', 'app-1/web.2', 'app-1/worker.1']);
  expect(slots[0]).toMatchObject({
    generation: 'releaseaaaaaaaaa',
    command: 'node server.js',
    memoryMiB: 512,
  });
  expect(slots[2]).toMatchObject({ size: 'Standard-2X', memoryMiB: 1_024, arch: 'x64', slug: 'slug-1' });
});

test('a restart of one slot changes the generation of that slot alone', () => {
  const restarts = new Map([['web.2', 'restart-op-id' as OpId]]);
  const [first, second] = wantedSlots(view(app({ web: [2, 'Basic'] }, { restarts })));
  expect(first?.generation).toBe('releaseaaaaaaaaa');
  expect(second?.generation).not.toBe(first?.generation);
});

test('nothing is wanted of destroyed apps, apps without a slug, types at 0, or types that the slug does not know', () => {
  const blank = { ...release, slug: null };
  expect(wantedSlots(view(app({ web: [1, 'Basic'] }, { destroyed: true })))).toEqual([]);
  expect(wantedSlots(view(app({ web: [1, 'Basic'] }, { releases: new Map([[blank.id, blank]]) })))).toEqual(
    [],
  );
  expect(wantedSlots(view(app({ web: [1, 'Basic'] }, { current: null })))).toEqual([]);
  expect(wantedSlots(view(app({ web: [0, 'Basic'], clock: [1, 'Basic'] })))).toEqual([]);
});
