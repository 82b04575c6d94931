import { randomBytes } from 'node:crypto';
import type { AppResource } from '../../../src/platform/app.ts';
import type { DynoResource } from '../../../src/platform/dyno.ts';
import type { FormationResource } from '../../../src/platform/formation.ts';
import type { PortResource } from '../../../src/platform/port.ts';
import type { MemberResource } from '../../../src/platform/team.ts';
import type { VolumeResource } from '../../../src/platform/volume.ts';
import { teamPath } from '../access.ts';
import { ApiError, CliError } from '../line/cli-error.ts';
import type { Context } from '../line/context.ts';
import { SERVER_TYPE, SERVER_VOLUME } from './managed-servers.ts';
import type { ManagedServer } from './managed-servers.ts';
import { poll } from '../api/poll.ts';
import { newestReleases } from '../releases.ts';
import { ServerBuild } from './server-build.ts';
import { uploadSource } from '../deploy/upload-source.ts';
import { volumesPath } from '../volumes.ts';

/** Config vars of the app: whose server it is, and the administrator's password. */
const PROVIDER_VAR = 'KITH_PROVIDER';
const PASSWORD_VAR = 'ADMIN_PASSWORD';
const PASSWORD_BYTES = 32;
const UP_MS = 5 * 60_000;
const RELEASES = 10;

type ConfigVars = Readonly<Record<string, string>>;

/**
 * Makes an app that is a server, step by step: each looks first at what is there, so that whoever runs it again goes on where
 * it stopped.
 */
export class ServerApp {
  readonly name: string;
  readonly #context: Context;
  readonly #server: ManagedServer;
  readonly #path: string;

  constructor(context: Context, server: ManagedServer, name: string) {
    this.name = name;
    this.#context = context;
    this.#server = server;
    this.#path = `/apps/${encodeURIComponent(name)}`;
  }

  /** @throws CliError for an app that is something else */
  async create(): Promise<void> {
    await this.#step(
      'Creating',
      async () => {
        const app = await this.#find();
        if (app !== null) await this.#mustBeOurs(app);
        return app;
      },
      async () => {
        await this.#api.post<AppResource>('/apps', { name: this.name });
        await this.#claim();
      },
    );
  }

  async volume(peer: string | undefined): Promise<void> {
    const { name, path } = SERVER_VOLUME;
    const mount = { type: SERVER_TYPE, path };
    const where = (volume: VolumeResource): string => `on ${volume.peer.name}`;
    const volume = await this.#step(
      `Making the volume ${name} of`,
      () => this.#volume(),
      () =>
        this.#api.post<VolumeResource>(volumesPath(this.name), {
          name,
          ...(peer === undefined ? {} : { peer }),
        }),
      where,
    );
    if (peer !== undefined && peer !== volume.peer.name && peer !== volume.peer.id) {
      throw new CliError(`The volume of "${this.name}" is on ${volume.peer.name} already, not on ${peer}`, {
        hint: `kith volumes:move ${name} ${peer} -a ${this.name}`,
      });
    }
    await this.#step(
      `Mounting it at ${SERVER_TYPE}:${path} on`,
      async () => {
        const found = (await this.#volume())?.mount;
        return found?.type === mount.type && found.path === mount.path ? found : null;
      },
      () => this.#api.patch<VolumeResource>(volumesPath(this.name, name), { mount }),
    );
  }

  /** What comes with this Kith, unless it is what was deployed last. */
  async deploy(): Promise<void> {
    const build = await ServerBuild.of(this.#context, this.name, this.#server);
    let isDeployed = await build.isLatest();
    const source = isDeployed ? '' : await uploadSource(this.#context, this.#server.source);
    await this.#step(
      'Deploying',
      async () => isDeployed || null,
      async () => {
        await build.run(source);
        isDeployed = true;
      },
    );
  }

  async open(): Promise<PortResource> {
    const path = `/kith${this.#path}/ports`;
    return this.#step(
      'Opening it to all dynos:',
      async () =>
        (await this.#api.get<readonly PortResource[]>(path)).find(({ type }) => type === SERVER_TYPE) ?? null,
      () => this.#api.post<PortResource>(path, { type: SERVER_TYPE }),
      ({ address }) => `at ${address}`,
    );
  }

  async scale(size: string | undefined): Promise<void> {
    const path = `${this.#path}/formation`;
    await this.#step(
      'Starting',
      async () => {
        const formation = await this.#api.get<readonly FormationResource[]>(path);
        const found = formation.find(({ type }) => type === SERVER_TYPE);
        const isOfSize = size === undefined || found?.size.toLowerCase() === size.toLowerCase();
        return found !== undefined && found.quantity === 1 && isOfSize ? found : null;
      },
      () =>
        this.#api.patch(path, {
          updates: [{ type: SERVER_TYPE, quantity: 1, ...(size === undefined ? {} : { size }) }],
        }),
    );
  }

  /** Until a dyno of its newest release listens: one before that may have another password. */
  async up(): Promise<void> {
    const { screen, world } = this.#context;
    const newest = (await newestReleases(this.#api, this.#path, RELEASES)).find(
      ({ status }) => status !== 'failed',
    );
    await screen.progress(
      `Waiting for ${screen.app(this.name)}`,
      (update) =>
        poll(
          async () => {
            const dynos = await this.#api.get<readonly DynoResource[]>(`${this.#path}/dynos`);
            const mine = dynos.filter(({ type }) => type === SERVER_TYPE);
            update(mine.map(({ state }) => state).join(', '));
            return mine.find(({ state, release }) => state === 'up' && release.id === newest?.id) ?? null;
          },
          {
            everyMs: world.pollMs,
            withinMs: UP_MS,
            lateMessage: `The server of "${this.name}" does not start`,
            hint: `See \`kith logs -a ${this.name}\` and \`kith ps -a ${this.name}\` for what keeps it, then run this again`,
          },
        ),
      ({ name, peer }) => `up, ${name} on ${peer.name}`,
    );
  }

  /** Whoever reads it may do everything with the server. */
  async address({ number }: PortResource): Promise<string> {
    const { [PASSWORD_VAR]: password } = await this.#config();
    if (password === undefined) {
      throw new CliError(`"${this.name}" has no ${PASSWORD_VAR} any more`, { hint: 'Run this again' });
    }
    return this.#server.address(password, number);
  }

  get #api(): Context['api'] {
    return this.#context.api;
  }

  /** What `look` finds, or else `make` makes, is told in one line. */
  async #step<T>(
    label: string,
    look: () => Promise<T | null>,
    make: () => Promise<unknown>,
    tell: (found: T) => string = () => '',
  ): Promise<T> {
    const { screen } = this.#context;
    const { found } = await screen.progress(
      `${label} ${screen.app(this.name)}`,
      async () => {
        const before = await look();
        if (before !== null) return { found: before, isNew: false };
        await make();
        const after = await look();
        if (after === null) throw new CliError(`"${this.name}" was changed meanwhile by somebody else`);
        return { found: after, isNew: true };
      },
      ({ found: what, isNew }) => [isNew ? 'done' : 'already', tell(what)].filter(Boolean).join(', '),
    );
    return found;
  }

  async #find(): Promise<AppResource | null> {
    try {
      return await this.#api.get<AppResource>(this.#path);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  }

  /** An owner reads the config vars of an app: of one that somebody else made beforehand, the password of all databases. */
  async #mustBeOfAnAdmin({ owner }: AppResource): Promise<void> {
    const members = await this.#api.get<readonly MemberResource[]>(await teamPath(this.#api, '/members'));
    // Who is no member at all came by the socket of a machine.
    const role = members.find(({ email }) => email === owner.email)?.role ?? 'admin';
    if (role === 'admin') return;
    throw new CliError(`The app "${this.name}" is owned by "${owner.email}", who is no admin`, {
      hint: 'Name another with --app, or take this one over: kith apps:transfer',
    });
  }

  /** One that has neither config vars nor code is ours to take: we may have ended right after making it. */
  async #mustBeOurs(app: AppResource): Promise<void> {
    await this.#mustBeOfAnAdmin(app);
    const config = await this.#config();
    const { [PROVIDER_VAR]: provider, [PASSWORD_VAR]: password } = config;
    if (provider === this.#server.provider && password !== undefined) return;
    const isEmpty = app.slug_size === null && Object.keys(config).length === 0;
    if (isEmpty || provider === this.#server.provider) return this.#claim();
    throw new CliError(`There is an app "${this.name}" that is no server of ${this.#server.provider}`, {
      hint: 'Name another with --app',
    });
  }

  async #claim(): Promise<void> {
    await this.#api.patch(`${this.#path}/config-vars`, {
      [PROVIDER_VAR]: this.#server.provider,
      [PASSWORD_VAR]: randomBytes(PASSWORD_BYTES).toString('base64url'),
    });
  }

  #config(): Promise<ConfigVars> {
    return this.#api.get<ConfigVars>(`${this.#path}/config-vars`);
  }

  async #volume(): Promise<VolumeResource | null> {
    const volumes = await this.#api.get<readonly VolumeResource[]>(volumesPath(this.name));
    return volumes.find(({ name }) => name === SERVER_VOLUME.name) ?? null;
  }
}
