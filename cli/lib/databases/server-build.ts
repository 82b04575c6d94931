import type { BuildResource } from '../../../src/platform/build.ts';
import type { BuildpackInstallationResource } from '../../../src/platform/buildpack-installation.ts';
import { CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import { versionOf } from './managed-servers.ts';
import type { ManagedServer } from './managed-servers.ts';
import { poll } from '../api/poll.ts';

const BUILDPACK = 'procfile';
const BUILD_MS = 10 * 60_000;

/** What an app that is a server is built from: the version of it that comes with this Kith. */
export class ServerBuild {
  readonly #context: Context;
  readonly #app: string;
  readonly #version: string;

  private constructor(context: Context, app: string, version: string) {
    this.#context = context;
    this.#app = app;
    this.#version = version;
  }

  static async of(context: Context, app: string, server: ManagedServer): Promise<ServerBuild> {
    return new ServerBuild(context, app, await versionOf(server));
  }

  get #path(): string {
    return `/apps/${encodeURIComponent(this.#app)}`;
  }

  /** Whether it is what the app was built from last. */
  async isLatest(): Promise<boolean> {
    const builds = await this.#context.api.get<readonly BuildResource[]>(`${this.#path}/builds`);
    const latest = builds.findLast(({ status }) => status === 'succeeded');
    return latest?.source_blob.version === this.#version;
  }

  /** Builds and releases it. @param url where its sources were put */
  async run(url: string): Promise<void> {
    const { api, world } = this.#context;
    await this.#setBuildpack();
    const source_blob = { url, version: this.#version };
    const { id } = await api.post<BuildResource>(`${this.#path}/builds`, { source_blob });
    const ended = await poll(
      async () => {
        const build = await api.get<BuildResource>(`${this.#path}/builds/${id}`);
        return build.status === 'pending' ? null : build;
      },
      {
        everyMs: world.pollMs,
        withinMs: BUILD_MS,
        lateMessage: `The build of "${this.#app}" has not ended`,
        hint: `See \`kith builds -a ${this.#app}\`, then run this again`,
      },
    );
    if (ended.status === 'succeeded') return;
    throw new CliError(`The build of "${this.#app}" failed`, {
      hint: `Its output says why: kith builds:output -a ${this.#app}`,
    });
  }

  async #setBuildpack(): Promise<void> {
    const { api } = this.#context;
    const path = `${this.#path}/buildpack-installations`;
    const found = await api.get<readonly BuildpackInstallationResource[]>(path);
    if (found.length === 1 && found[0]?.buildpack.name === BUILDPACK) return;
    await api.put(path, { updates: [{ buildpack: BUILDPACK }] });
  }
}
