import type { AppId, AppName } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';

/* oxlint-disable typescript/no-unsafe-type-assertion -- names and ids are plain text here */

/** An app of which nothing was written but its name, and what a test says of it. */
export function bareApp(fields: Partial<App> = {}): App {
  return {
    id: 'app-1' as AppId,
    wantedName: 'blog' as AppName,
    name: 'blog' as AppName,
    owner: 'ann@example.com',
    collaborators: new Map(),
    createdAt: 0,
    updatedAt: 0,
    maintenance: false,
    features: new Set(),
    destroyed: false,
    releases: new Map(),
    heads: [],
    current: null,
    config: new Map(),
    formation: new Map(),
    restarts: new Map(),
    buildpacks: [],
    domains: new Map(),
    builds: new Map(),
    volumes: new Map(),
    certs: new Map(),
    acm: { on: false, ask: null, domains: new Map() },
    destroyedVolumes: new Set(),
    drains: new Map(),
    ports: new Map(),
    addons: new Map(),
    attachments: new Map(),
    backups: new Map(),
    coupling: null,
    setup: null,
    uploads: new Map(),
    ...fields,
  };
}
