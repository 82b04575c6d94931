import { createHash, randomUUID } from 'node:crypto';
import type { AppId, AppName, OpId, ReleaseId } from '../../src/ids.ts';
import type { App } from '../../src/ledger/apps/app-types.ts';
import type { Command } from '../../src/ledger/command.ts';
import type { Release } from '../../src/ledger/releases/release-types.ts';
import type { View } from '../../src/ledger/view.ts';
import type { PeerHost } from '../../src/shell/host.ts';
import { bareApp } from '../helpers/bare-app.ts';

// Ids are made of plain text here, and config values are "sealed" as their bytes.
/* oxlint-disable typescript/no-unsafe-type-assertion */

type Host = Pick<PeerHost, 'view' | 'command' | 'open' | 'seal'>;

/** The least of a ledger that builds and pushes meet: several peers of one test may share it, as if always in sync. */
export class FakeHost implements Host {
  readonly commands: Command[] = [];
  #apps: ReadonlyMap<AppId, App> = new Map();

  createApp(name: string, overrides: Partial<App> = {}): App {
    const id = randomUUID() as AppId;
    const first = releaseOf({ number: 1, cause: 'create', description: 'Initial release' });
    const app = bareApp({
      id,
      wantedName: name as AppName,
      name: name as AppName,
      owner: 'me@example.com',
      releases: new Map([[first.id, first]]),
      heads: [first.id],
      current: first.id,
      config: first.config,
      ...overrides,
    });
    this.#put(app);
    return app;
  }

  app(id: AppId): App {
    const app = this.#apps.get(id);
    if (app === undefined) throw new Error(`No app ${id}`);
    return app;
  }

  current(id: AppId): Release {
    const app = this.app(id);
    const release = app.current === null ? undefined : app.releases.get(app.current);
    if (release === undefined) throw new Error(`App ${id} has no release`);
    return release;
  }

  setConfig(id: AppId, config: Readonly<Record<string, string>>): void {
    const by = this.current(id).id;
    const entries = Object.entries(config).map(
      ([key, value]) => [key, { value: Buffer.from(value), by }] as const,
    );
    this.#release(id, { cause: 'config', description: 'Set config vars', config: new Map(entries) });
  }

  rollback(id: AppId, slug: Release['slug']): void {
    this.#release(id, { cause: 'rollback', description: 'Rollback', slug });
  }

  setBuildpacks(id: AppId, buildpacks: readonly string[]): void {
    this.#put({ ...this.app(id), buildpacks });
  }

  view(): View {
    return { apps: this.#apps } as View;
  }

  seal(_app: AppId, _key: string, value: string): Uint8Array {
    return Buffer.from(value);
  }

  open(_app: AppId, _key: string, sealed: Uint8Array): string {
    return Buffer.from(sealed).toString('utf8');
  }

  async command(command: Command): Promise<readonly OpId[]> {
    this.commands.push(command);
    if (command.type === 'config.patch') {
      const { config, id: by } = this.current(command.app);
      const written = Object.entries(command.config).map(([key, value]) => [key, { value, by }] as const);
      const description = 'Set config vars';
      const all = new Map([...config, ...written]);
      return [this.#release(command.app, { cause: 'config', description, config: all }).op];
    }
    if (command.type !== 'release.deploy') return ['op' as OpId];
    const { slug, description } = command;
    return [this.#release(command.app, { cause: 'deploy', slug, description }).op];
  }

  #release(id: AppId, change: Partial<Release>): Release {
    const app = this.app(id);
    const last = this.current(id);
    const release = releaseOf({ ...last, ...change, number: last.number + 1 });
    this.#put({
      ...app,
      releases: new Map([...app.releases, [release.id, release]]),
      heads: [release.id],
      current: release.id,
      config: release.config,
    });
    return release;
  }

  #put(app: App): void {
    this.#apps = new Map([...this.#apps, [app.id, app]]);
  }
}

function releaseOf(parts: Partial<Release> & { readonly number: number }): Release {
  const id = createHash('sha256').update(randomUUID()).digest('hex').slice(0, 52);
  return {
    parents: [],
    cause: 'create',
    description: '',
    user: 'me@example.com',
    createdAt: 0,
    hlc: { ms: 0, n: 0 },
    slug: null,
    config: new Map(),
    attachments: new Map(),
    request: null,
    status: 'succeeded',
    attempts: [],
    settled: null,
    ...parts,
    id: id as ReleaseId,
    op: id as OpId,
    label: `v${parts.number}`,
  };
}
