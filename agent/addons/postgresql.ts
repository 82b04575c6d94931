import { createHmac } from 'node:crypto';
import pg from 'pg';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type {
  AddonConfig,
  AddonProvider,
  AddonService,
  BuiltInProvider,
  ProviderSettings,
} from '../../src/shell/addon-provider.ts';
import { PostgresServer, makeOnce } from './postgres-server.ts';

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

/** Of a database: an owner that nobody logs in as, and two who do in its name: one of them is the app's at any time. */
type Roles = { readonly owner: string; readonly logins: readonly [string, string] };

/** A database and a role on a PostgreSQL server that the owner of the machines names. */
export function postgresql(settings: ProviderSettings): BuiltInProvider {
  return {
    service: SERVICE,
    provider: new Postgresql(settings),
    settings: {
      server: 'postgres://ADMIN:PASSWORD@HOST:5432/postgres, of a role that may make roles and databases',
    },
  };
}

export class Postgresql implements AddonProvider {
  readonly asksAgain = false;
  readonly #settings: ProviderSettings;

  constructor(settings: ProviderSettings) {
    this.#settings = settings;
  }

  async provision({ uuid, plan }: { uuid: AddonId; plan: string }, signal: AbortSignal) {
    const server = this.#server();
    const { owner, logins } = rolesOf(uuid);
    await server.with(signal, async (client) => {
      await makeOnce(client, `CREATE ROLE ${owner} NOLOGIN`);
      await client.query(`GRANT ${owner} TO CURRENT_USER`);
      await makeLogin(client, owner, logins[0], this.#password(server, uuid, 0));
      await limitConnections(client, logins, plan);
      await makeOnce(client, `CREATE DATABASE ${owner} OWNER ${owner}`);
      await client.query(`REVOKE ALL ON DATABASE ${owner} FROM PUBLIC`);
    });
    await server.with(signal, (client) => client.query(`GRANT ALL ON SCHEMA public TO ${owner}`), owner);
    const config = { DATABASE_URL: server.addressOf(logins[0], this.#password(server, uuid, 0), owner) };
    return { state: 'provisioned', id: uuid, config, message: null, logDrainUrl: null } as const;
  }

  async changePlan({ uuid, plan }: { uuid: AddonId; plan: string }, signal: AbortSignal) {
    await this.#server().with(signal, (client) => limitConnections(client, rolesOf(uuid).logins, plan));
    return { config: null, message: null };
  }

  async deprovision({ uuid }: { uuid: AddonId }, signal: AbortSignal): Promise<void> {
    const { owner, logins } = rolesOf(uuid);
    await this.#server().with(signal, async (client) => {
      await client.query(`DROP DATABASE IF EXISTS ${owner} WITH (FORCE)`);
      for (const role of [...logins, owner]) await client.query(`DROP ROLE IF EXISTS ${role}`);
    });
  }

  /**
   * Lets the other of the two log in under a new password. The one before goes on to work until `endOthers`, so that no
   * dyno is locked out, and whoever dies in between has changed nothing.
   * @returns the config to be released
   */
  async rotate(uuid: AddonId, current: AddonConfig, signal: AbortSignal): Promise<AddonConfig> {
    const server = this.#server();
    const { owner, logins } = rolesOf(uuid);
    const used = usernameOf(current);
    const next = logins[0] === used ? logins[1] : logins[0];
    const password = this.#password(server, uuid, Date.now());
    await server.with(signal, (client) => makeLogin(client, owner, next, password));
    return { DATABASE_URL: server.addressOf(next, password, owner) };
  }

  /** Whoever is not in the app's config any more is let in no more. */
  async endOthers(uuid: AddonId, current: AddonConfig, signal: AbortSignal): Promise<void> {
    const used = usernameOf(current);
    await this.#server().with(signal, async (client) => {
      for (const login of rolesOf(uuid).logins.filter((each) => each !== used)) {
        const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [login]);
        if (rowCount === 0) continue;
        await client.query(`ALTER ROLE ${login} NOLOGIN PASSWORD NULL`);
        await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
          login,
        ]);
      }
    });
  }

  #server(): PostgresServer {
    const { server } = this.#settings(ID);
    if (server !== undefined) return new PostgresServer(server);
    throw new PlatformError('invalid_params', `${ID} has no server to make databases on`, {
      hint: `An admin names one: kith providers:set ${ID} server`,
    });
  }

  /** The same whoever asks, however often, so that a second try agrees with a first whose answer was lost. */
  #password({ url }: PostgresServer, uuid: AddonId, generation: number): string {
    return createHmac('sha256', url.href).update(`${uuid}/${generation}`).digest('base64url');
  }
}

function rolesOf(uuid: AddonId): Roles {
  const owner = `kith_${uuid.replaceAll('-', '')}`;
  return { owner, logins: [`${owner}_a`, `${owner}_b`] };
}

function usernameOf({ DATABASE_URL = '' }: AddonConfig): string {
  return URL.canParse(DATABASE_URL) ? new URL(DATABASE_URL).username : '';
}

/** Whatever it makes belongs to the owner, so that the other login finds it as its own. */
async function makeLogin(client: pg.Client, owner: string, login: string, password: string): Promise<void> {
  await makeOnce(client, `CREATE ROLE ${login}`);
  await client.query(`GRANT ${owner} TO ${login}`);
  await client.query(`ALTER ROLE ${login} SET role TO ${owner}`);
  await client.query(`ALTER ROLE ${login} LOGIN PASSWORD ${pg.escapeLiteral(password)}`);
}

async function limitConnections(client: pg.Client, logins: readonly string[], plan: string): Promise<void> {
  const limit = PLANS.find(({ name }) => name === plan)?.connections ?? PLANS[0].connections;
  for (const login of logins) {
    await makeOnce(client, `CREATE ROLE ${login}`);
    await client.query(`ALTER ROLE ${login} CONNECTION LIMIT ${limit}`);
  }
}
