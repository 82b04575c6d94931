import type { AppResource } from '../../src/platform/app.ts';
import type { BuildResource } from '../../src/platform/build.ts';
import type { LogDrainResource } from '../../src/platform/log-drain.ts';
import type { DomainResource } from '../../src/platform/domain.ts';
import type { DynoResource } from '../../src/platform/dyno.ts';
import type { FormationResource } from '../../src/platform/formation.ts';
import type { PeerResource } from '../../src/platform/peer.ts';
import type { ReleaseResource } from '../../src/platform/release.ts';

const app = { id: 'app-id', name: 'blog' };
const user = { id: 'user-id', email: 'ada@example.com' };
const times = { created_at: '2026-01-02T11:00:00Z', updated_at: '2026-01-02T11:57:00Z' };

export function appOf(overrides: Partial<AppResource> = {}): AppResource {
  const stack = { id: 'stack-id', name: 'kith-24' };
  return {
    ...app,
    ...times,
    web_url: 'http://blog.localhost:8001/',
    git_url: 'http://127.0.0.1:5001/blog.git',
    owner: user,
    region: { id: 'region-id', name: 'home' },
    stack,
    build_stack: stack,
    generation: { id: 'generation-id', name: 'cedar' },
    acm: false,
    repo_size: null,
    slug_size: 3 * 1024 * 1024,
    maintenance: false,
    create_status: 'complete',
    buildpack_provided_description: 'Node.js',
    released_at: '2026-01-02T11:30:00Z',
    archived_at: null,
    internal_routing: null,
    organization: null,
    team: { id: 'team-id', name: 'home' },
    space: null,
    process_tier: 'production',
    ...overrides,
  };
}

export function dynoOf(overrides: Partial<DynoResource> = {}): DynoResource {
  return {
    id: 'dyno-id',
    name: 'web.1',
    type: 'web',
    command: 'node server.js',
    size: 'Basic',
    state: 'up',
    app,
    release: { id: 'r7', version: 7 },
    attach_url: null,
    peer: { id: 'peer-a', name: 'pi-1' },
    ...times,
    ...overrides,
  };
}

export function formationOf(overrides: Partial<FormationResource> = {}): FormationResource {
  return {
    id: 'f',
    app,
    type: 'web',
    command: 'node server.js',
    quantity: 1,
    size: 'Basic',
    ...times,
    ...overrides,
  };
}

export function releaseOf(version: number, overrides: Partial<ReleaseResource> = {}): ReleaseResource {
  return {
    id: `r${version}`,
    version,
    label: `v${version}`,
    description: `Deploy ${version}`,
    status: 'succeeded',
    current: false,
    user,
    app,
    slug: { id: 's' },
    addon_plan_names: [],
    output_stream_url: null,
    eligible_for_rollback: true,
    ...times,
    ...overrides,
  };
}

export function buildOf(overrides: Partial<BuildResource> = {}): BuildResource {
  return {
    id: 'build-1',
    app,
    status: 'succeeded',
    output_stream_url: 'http://elsewhere:1/apps/blog/builds/build-1/output/s3cret',
    source_blob: { url: null, version: '0b0e75c1aabbccdd', checksum: null },
    release: { id: 'r7' },
    slug: { id: 's' },
    buildpacks: [],
    stack: 'kith-24',
    user,
    ...times,
    ...overrides,
  };
}

export function drainOf(): LogDrainResource {
  return {
    id: 'drain-id',
    app,
    url: 'syslog://logs.example.com',
    token: 'd.1',
    addon: null,
    ...times,
  };
}

export function domainOf(overrides: Partial<DomainResource> = {}): DomainResource {
  return {
    id: 'domain-id',
    app,
    hostname: 'www.example.com',
    kind: 'custom',
    cname: 'blog.localhost',
    status: 'none',
    sni_endpoint: null,
    acm_status: null,
    acm_status_reason: null,
    ...times,
    ...overrides,
  };
}

export function peerOf(overrides: Partial<PeerResource> = {}): PeerResource {
  return {
    id: 'peer-a',
    name: 'pi-1',
    self: true,
    state: 'alive',
    version: '0.1.0',
    arch: 'arm64',
    runtime: 'process',
    isolation: 'own session and files',
    runtime_down: null,
    addresses: { mesh: ['/ip4/127.0.0.1/tcp/6001'], api: '127.0.0.1:5001', http: '127.0.0.1:8001' },
    load: 0.42,
    cpus: 4,
    memory_mib: 8_000,
    memory_used_mib: 1_024,
    dynos: 2,
    staying: [],
    volumes: [],
    draining: false,
    labels: { zone: 'attic' },
    since: '2026-01-01T12:00:00Z',
    ...overrides,
  };
}
