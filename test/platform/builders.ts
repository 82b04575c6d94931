import type { AppId, OpId, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { SlugRef, Release } from '../../src/ledger/releases/release-types.ts';
import { bareApp } from '../helpers/bare-app.ts';

export const APP_ID = '11111111-2222-4333-8444-555555555555' as AppId;

export function slugOf(processTypes: Readonly<Record<string, string>> = { web: 'node web.js' }): SlugRef {
  return {
    id: 'ab'.repeat(32) as SlugRef['id'],
    bytes: 1_234,
    arch: 'any',
    stack: 'heroku-24',
    processTypes,
    commit: '0b0e75c1ffff',
    buildpack: 'Node.js',
    source: null,
  };
}

export function release(number: number, fields: Partial<Release> = {}): Release {
  const label = fields.label ?? `v${number}`;
  return {
    id: `release-${label}` as ReleaseId,
    op: `op-${label}` as OpId,
    number,
    label,
    parents: [],
    cause: 'config',
    description: `Change ${number}`,
    user: 'ann@example.com',
    createdAt: 1_000 * number,
    hlc: { ms: 1_000 * number, n: 0 },
    slug: null,
    config: new Map(),
    attachments: new Map(),
    request: null,
    status: 'succeeded',
    attempts: [],
    settled: null,
    ...fields,
  };
}

export function app(releases: readonly Release[] = [], fields: Partial<App> = {}): App {
  return bareApp({
    id: APP_ID,
    releases: new Map(releases.map((each) => [each.id, each])),
    heads: releases.slice(-1).map((each) => each.id),
    current: releases.at(-1)?.id ?? null,
    config: releases.at(-1)?.config ?? new Map(),
    ...fields,
  });
}
