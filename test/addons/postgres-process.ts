import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { eventually } from '../helpers/eventually.ts';
import { DatabaseProcess } from './database-process.ts';
import { freePort } from '../helpers/free-port.ts';

const DEBIAN = '/usr/lib/postgresql';
const SUPERUSER = 'super';
const PASSWORD = 'sesame of the superuser';

/** A real PostgreSQL that asks for passwords, on loopback. */
export class PostgresProcess extends DatabaseProcess {
  static async start(): Promise<PostgresProcess> {
    const started = new PostgresProcess('postgres');
    const passwordFile = join(started.dir, 'password');
    writeFileSync(passwordFile, PASSWORD, { mode: 0o644 });
    await started.run(program('initdb'), [
      `--pgdata=${join(started.dir, 'data')}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--no-sync',
      '--encoding=UTF8',
      '--locale=C',
    ]);
    started.port = await freePort();
    await started.up();
    return started;
  }

  /** Starts it, the first time or again, and waits until it answers. */
  async up(): Promise<void> {
    await this.start(program('postgres'), [
      `-D${join(this.dir, 'data')}`,
      `-p${this.port}`,
      '--listen-addresses=127.0.0.1',
      '--unix-socket-directories=',
      '--fsync=off',
      '--shared-buffers=16MB',
    ]);
    await eventually(
      () => {
        this.mustRun();
        return query(this.url, 'SELECT 1');
      },
      { withinMs: 60_000 },
    );
  }

  /** Of the superuser. */
  get url(): string {
    return this.urlOf(SUPERUSER, PASSWORD);
  }

  urlOf(user: string, password: string, database = 'postgres'): string {
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}`;
  }
}

/** One statement on a connection of its own. */
export async function query(
  url: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 60_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(statement, [...values]);
    return rows;
  } finally {
    await client.end();
  }
}

function program(name: string): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(DEBIAN, version, 'bin', name))
    .find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(
    'There is no PostgreSQL on this machine, which this test needs: `apt-get install postgresql`',
  );
}
