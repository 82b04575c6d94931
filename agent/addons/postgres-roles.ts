import type { Client } from 'pg';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type { AddonConfig } from '../../src/shell/addon-provider.ts';
import { makeOnce } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';

/** `DROP DATABASE … WITH (FORCE)` */
const VERSION_MIN = 130_000;

/** Of a database: an owner that nobody logs in as, and two who do in its name: one of them is the app's at any time. */
type Roles = { readonly owner: string; readonly logins: readonly [string, string] };

export function rolesOf(uuid: AddonId): Roles {
  const owner = `kith_${uuid.replaceAll('-', '')}`;
  return { owner, logins: [`${owner}_a`, `${owner}_b`] };
}

export function usernameOf({ DATABASE_URL = '' }: AddonConfig): string {
  return URL.canParse(DATABASE_URL) ? new URL(DATABASE_URL).username : '';
}

/** Says before anything is made what an administrator lacks. */
export async function mustBeAble(client: Client, { url }: PostgresServer): Promise<void> {
  const { rows } = await client.query<{ able: boolean; version: number }>(
    `SELECT rolsuper OR (rolcreaterole AND rolcreatedb AND rolinherit) AS able,
       current_setting('server_version_num')::int AS version FROM pg_roles WHERE rolname = current_user`,
  );
  const [{ able, version } = { able: false, version: 0 }] = rows;
  if (version < VERSION_MIN) {
    throw new PlatformError('invalid_params', `The PostgreSQL server at "${url.host}" is older than 13`, {
      hint: 'Databases are dropped with FORCE, which 13 brought',
    });
  }
  if (able) return;
  const user = decodeURIComponent(url.username);
  throw new PlatformError(
    'invalid_params',
    `The role "${user}" at "${url.host}" may not make databases for others`,
    {
      hint: `Let it: ALTER ROLE ${client.escapeIdentifier(user)} INHERIT CREATEROLE CREATEDB`,
    },
  );
}

export async function makeRole(client: Client, role: string): Promise<void> {
  await makeOnce(client, `CREATE ROLE ${role} NOLOGIN`);
  await client.query(`GRANT ${role} TO CURRENT_USER`);
}

/** Whatever it makes belongs to the owner, so that the other login finds it as its own. */
export async function makeLogin(
  client: Client,
  owner: string,
  login: string,
  password: string,
): Promise<void> {
  await makeRole(client, login);
  await client.query(`GRANT ${owner} TO ${login}`);
  await client.query(`ALTER ROLE ${login} SET role TO ${owner}`);
  await client.query(`ALTER ROLE ${login} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
}

/** @param limit -1: as many as the server takes */
export async function limitConnections(
  client: Client,
  logins: readonly string[],
  limit: number,
): Promise<void> {
  for (const login of logins) {
    await makeRole(client, login);
    await client.query(`ALTER ROLE ${login} CONNECTION LIMIT ${limit}`);
  }
}

export async function existing(client: Client, roles: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ rolname: string }>(
    'SELECT rolname FROM pg_roles WHERE rolname = ANY($1) ORDER BY rolname',
    [roles],
  );
  return rows.map(({ rolname }) => rolname);
}

/** A role cannot go while it has anything, and any role may keep large objects in databases that are open to all. */
export async function dropLeftovers(
  server: PostgresServer,
  roles: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { rows } = await server.with(signal, (client) =>
    client.query<{ datname: string }>(
      `SELECT DISTINCT datname FROM pg_shdepend
       JOIN pg_database ON pg_database.oid = dbid JOIN pg_roles ON pg_roles.oid = refobjid
       WHERE refclassid = 'pg_authid'::regclass AND rolname = ANY($1)`,
      [roles],
    ),
  );
  for (const { datname } of rows) {
    await server.with(signal, (client) => client.query(`DROP OWNED BY ${roles.join(', ')}`), datname);
  }
}
