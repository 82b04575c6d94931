import type { Client } from 'pg';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type { AddressHere } from './address-here.ts';

const CONNECT_MS = 5_000;
const STATEMENT_MS = 20_000;

const SQL_STATE = /^[0-9A-Z]{5}$/;
/** PostgreSQL's codes of refusals that say that somebody was here before. */
const EXISTS: ReadonlySet<string> = new Set(['42710', '42P04', '23505']);

/** A server that the owner names, seen with the rights of an administrator. */
export class PostgresServer {
  readonly url: URL;
  readonly #here: AddressHere;

  /** @throws PlatformError `invalid_params` for what is no `postgres://USER:PASSWORD@HOST[:PORT]/DATABASE` */
  constructor(url: string, here: AddressHere) {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.hostname === '') {
      throw new PlatformError('invalid_params', 'The setting "server" of kith-postgresql is no address', {
        hint: 'It looks like postgres://ADMIN:PASSWORD@HOST:5432/postgres',
      });
    }
    this.url = parsed;
    this.#here = here;
  }

  /** Where a user of it finds a database. */
  addressOf(user: string, password: string, database: string): string {
    const url = new URL(this.url);
    url.protocol = 'postgres:';
    url.username = user;
    url.password = password;
    url.pathname = `/${encodeURIComponent(database)}`;
    return url.href;
  }

  /** Works on one connection to `database`, or to the administrator's own. */
  async with<T>(
    signal: AbortSignal,
    work: (client: Client) => Promise<T>,
    database: string | null = null,
  ): Promise<T> {
    signal.throwIfAborted();
    const url = this.#here(this.url);
    if (database !== null) url.pathname = `/${encodeURIComponent(database)}`;
    // Most peers never speak to a database: the driver is loaded by those that do.
    const driver = await import('pg');
    signal.throwIfAborted();
    const client = new driver.Client({
      connectionString: url.href,
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      query_timeout: STATEMENT_MS,
      application_name: 'kith',
    });
    // Without a listener, a server that goes away would end the agent; the query under way rejects by itself.
    client.on('error', ignore);
    const onAbort = (): void => void client.end().catch(ignore);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await client.connect();
      // A database's owner says where names are looked up in it, and could have ours end at functions of theirs.
      await client.query('SET search_path = pg_catalog');
      return await work(client);
    } catch (error) {
      throw readable(error, this.url);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await client.end().catch(ignore);
    }
  }

  /** The same, for one of all who ask of `addon` at a time: statements about one role at once fail one another. */
  alone<T>(addon: AddonId, signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
    return this.with(signal, async (client) => {
      // Held until the connection ends.
      await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`kith ${addon}`]);
      return work(client);
    });
  }
}

/** Runs what makes something, unless it is there: whoever asked may have died before hearing that it was made. */
export async function makeOnce(client: Client, statement: string): Promise<void> {
  try {
    await client.query(statement);
  } catch (error) {
    if (!EXISTS.has(sqlStateOf(error))) throw error;
  }
}

/** The server's code for what it refuses; empty for any other error. */
function sqlStateOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return '';
  return SQL_STATE.test(error.code) ? error.code : '';
}

/** A connection that is given up has nothing more to say: what went wrong on it was thrown before. */
function ignore(): void {}

/** Who asks is not let in, or there is no such database: asking again would change nothing. */
function isRefusal(error: unknown): boolean {
  return /^(28|3D)/.test(sqlStateOf(error));
}

/** The server's own words, without the address that holds a password. */
function readable(error: unknown, { host }: URL): PlatformError {
  if (error instanceof PlatformError) return error;
  const said = error instanceof Error && error.message !== '' ? error.message : 'it does not answer';
  const code = isRefusal(error) ? 'invalid_params' : 'unavailable';
  return new PlatformError(code, `The PostgreSQL server at "${host}" refuses: ${said}`, { cause: error });
}
