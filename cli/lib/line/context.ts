import { Client } from '../api/client.ts';
import { UsageError } from './cli-error.ts';
import type { ArgSpecs, ArgValues, FlagSpecs, FlagValues } from './specs.ts';
import { resolveEndpoint, type Endpoint } from '../api/endpoint.ts';
import { remoteApp } from '../deploy/git.ts';
import type { Parsed } from './specs.ts';
import { Screen } from '../print/screen.ts';
import type { World } from './world.ts';

/** The remote that `apps:create` adds. */
export const REMOTE_DEFAULT = 'kith';

/** What a command works with. */
export class Context<F extends FlagSpecs = FlagSpecs, A extends ArgSpecs = ArgSpecs> {
  readonly world: World;
  readonly flags: FlagValues<F>;
  readonly args: ArgValues<A>;
  readonly screen: Screen;
  readonly #parsed: Parsed;
  #endpoint: Endpoint | null = null;
  #client: Client | null = null;

  constructor(world: World, parsed: Parsed) {
    this.world = world;
    this.#parsed = parsed;
    // `parseArgs` made these by the same specs that the types come from.
    this.flags = parsed.flags as unknown as FlagValues<F>;
    this.args = parsed.args as unknown as ArgValues<A>;
    this.screen = new Screen(world, parsed.flags['json'] === true);
  }

  /** The peer that is spoken to. */
  get endpoint(): Endpoint {
    this.#endpoint ??= resolveEndpoint(
      { host: this.#text('host'), data: this.#text('data') },
      this.world.env,
    );
    return this.#endpoint;
  }

  get api(): Client {
    this.#client ??= new Client(this.endpoint);
    return this.#client;
  }

  get remote(): string {
    return this.#text('remote') ?? REMOTE_DEFAULT;
  }

  /** The app that the command is about: `--app`, `--remote`, KITH_APP, or the git remote of the folder. */
  async app(): Promise<string> {
    const remote = this.#text('remote');
    const named = this.#text('app') ?? (remote === undefined ? this.world.env['KITH_APP'] : undefined);
    if (named !== undefined && named !== '') return named;
    const found = await remoteApp(this.world, this.remote);
    if (found !== null) return found;
    throw new UsageError(
      remote === undefined ? 'No app was named' : `The git remote "${remote}" names no app`,
      'Name one with --app APP or KITH_APP, or run this in a git repository that has a "kith" remote',
    );
  }

  /** The path of the app in the API, with what follows. */
  async appPath(rest = ''): Promise<string> {
    return `/apps/${encodeURIComponent(await this.app())}${rest}`;
  }

  #text(flag: string): string | undefined {
    const value = this.#parsed.flags[flag];
    return typeof value === 'string' ? value : undefined;
  }
}
