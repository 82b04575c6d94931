import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type {
  AddonConfig,
  AddonProvider,
  AddonService,
  BuiltInProvider,
  ProviderSettings,
  Rotation,
} from '../../src/shell/addon-provider.ts';
import type { AddressHere } from './address-here.ts';
import { dumpDatabase, restoreDatabase } from './postgres-programs.ts';
import {
  dropLeftovers,
  existing,
  limitConnections,
  makeLogin,
  makeRole,
  mustBeAble,
  rolesOf,
  usernameOf,
} from './postgres-roles.ts';
import { PostgresServer, makeOnce } from './postgres-server.ts';
import { FIRST_GENERATION, type SecretMaker } from './secret-maker.ts';

const ID = 'kith-postgresql';
const PLANS = [
  { name: 'mini', connections: 20 },
  { name: 'basic', connections: 100 },
  { name: 'unlimited', connections: -1 },
] as const;

const SERVICE: AddonService = {
  id: ID,
  name: 'Kith PostgreSQL',
  prefix: 'DATABASE',
  configVars: ['DATABASE_URL'],
  plans: PLANS.map(({ name, connections }) => ({
    name,
    humanName: name.charAt(0).toUpperCase() + name.slice(1),
    description: connections < 0 ? 'As many connections as the server takes' : `${connections} connections`,
    cents: 0,
  })),
  isBuiltIn: true,
};

/** A database and a role on a PostgreSQL server that the owner of the machines names. */
export function postgresql(
  settings: ProviderSettings,
  secretFor: SecretMaker,
  here: AddressHere,
): BuiltInProvider {
  return {
    service: SERVICE,
    provider: new Postgresql(settings, secretFor, here),
    settings: {
      server: 'postgres://ADMIN:PASSWORD@HOST:5432/postgres, of a role that may make roles and databases',
    },
  };
}

/**
 * The administrator need not be a superuser: CREATEROLE and CREATEDB are enough. It becomes a member of what it makes, and
 * so may give, take and end what is its users'. (From PostgreSQL 16 on, making a role alone gives only the right to do so.)
 */
export class Postgresql implements AddonProvider {
  readonly asksAgain = false;
  readonly #settings: ProviderSettings;
  readonly #secretFor: SecretMaker;
  readonly #here: AddressHere;

  constructor(settings: ProviderSettings, secretFor: SecretMaker, here: AddressHere) {
    this.#settings = settings;
    this.#secretFor = secretFor;
    this.#here = here;
  }

  async provision({ uuid, plan }: { uuid: AddonId; plan: string }, signal: AbortSignal) {
    const server = this.#server();
    const { owner, logins } = rolesOf(uuid);
    const password = this.#secretFor(uuid, FIRST_GENERATION);
    await server.alone(uuid, signal, async (client) => {
      await mustBeAble(client, server);
      await makeRole(client, owner);
      await makeLogin(client, owner, logins[0], password);
      await limitConnections(client, logins, connectionsOf(plan));
      await makeOnce(client, `CREATE DATABASE ${owner} OWNER ${owner}`);
      await client.query(`REVOKE ALL ON DATABASE ${owner} FROM PUBLIC`);
    });
    const config = { DATABASE_URL: server.addressOf(logins[0], password, owner) };
    return { state: 'provisioned', id: uuid, config, message: null, logDrainUrl: null } as const;
  }

  async changePlan({ uuid, plan }: { uuid: AddonId; plan: string }, signal: AbortSignal) {
    await this.#server().alone(uuid, signal, (client) =>
      limitConnections(client, rolesOf(uuid).logins, connectionsOf(plan)),
    );
    return { config: null, message: null };
  }

  async deprovision({ uuid }: { uuid: AddonId }, signal: AbortSignal): Promise<void> {
    const server = this.#server();
    const { owner, logins } = rolesOf(uuid);
    const roles = await server.alone(uuid, signal, async (client) => {
      const found = await existing(client, [...logins, owner]);
      for (const role of found) await client.query(`ALTER ROLE ${role} NOLOGIN`);
      await client.query(`DROP DATABASE IF EXISTS ${owner} WITH (FORCE)`);
      return found;
    });
    if (roles.length === 0) return;
    await dropLeftovers(server, roles, signal);
    await server.alone(uuid, signal, (client) => client.query(`DROP ROLE IF EXISTS ${roles.join(', ')}`));
  }

  /**
   * Lets the other of the two log in under a new password. The one before goes on to work until `endOthers`, so that no
   * dyno is locked out, and whoever dies in between has changed nothing.
   */
  async rotate({ uuid, config, generation }: Rotation, signal: AbortSignal): Promise<AddonConfig> {
    const server = this.#server();
    const { owner, logins } = rolesOf(uuid);
    const next = logins[0] === usernameOf(config) ? logins[1] : logins[0];
    const password = this.#secretFor(uuid, generation);
    await server.alone(uuid, signal, (client) => makeLogin(client, owner, next, password));
    return { DATABASE_URL: server.addressOf(next, password, owner) };
  }

  /** Whoever is not in the app's config any more is let in no more; what was made in its name alone becomes the owner's. */
  async endOthers({ uuid, config }: Omit<Rotation, 'generation'>, signal: AbortSignal): Promise<void> {
    const server = this.#server();
    const { owner, logins } = rolesOf(uuid);
    const used = usernameOf(config);
    // A config that is none of ours says nothing of which of them is in use.
    if (!logins.includes(used)) return;
    const others = logins.filter((login) => login !== used);
    await server.alone(uuid, signal, async (client) => {
      for (const login of await existing(client, others)) {
        await client.query(`ALTER ROLE ${login} NOLOGIN PASSWORD NULL`);
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
          login,
        ]);
      }
    });
    await server.with(
      signal,
      async (client) => {
        const found = await existing(client, others);
        if (found.length > 0) await client.query(`REASSIGN OWNED BY ${found.join(', ')} TO ${owner}`);
      },
      owner,
    );
  }

  dump({ DATABASE_URL }: AddonConfig, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return dumpDatabase(this.#here(mustUrl(DATABASE_URL)), signal);
  }

  restore(
    { DATABASE_URL }: AddonConfig,
    dump: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    return restoreDatabase(this.#here(mustUrl(DATABASE_URL)), dump, signal);
  }

  #server(): PostgresServer {
    const { server } = this.#settings(ID);
    if (server !== undefined) return new PostgresServer(server, this.#here);
    throw new PlatformError('invalid_params', `${ID} has no server to make databases on`, {
      hint: `An admin names one (kith providers:set ${ID} server), or has Kith run one: kith providers:run ${ID}`,
    });
  }
}

function mustUrl(text: string | undefined): URL {
  if (text !== undefined && URL.canParse(text)) return new URL(text);
  throw new PlatformError('unavailable', 'The database has no address yet', {
    hint: 'Try again when `addons:info` shows it provisioned',
  });
}

function connectionsOf(plan: string): number {
  return (PLANS.find(({ name }) => name === plan) ?? PLANS[0]).connections;
}
