import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { eventually } from '../helpers/eventually.ts';
import { DatabaseProcess } from './database-process.ts';
import { freePort } from '../helpers/free-port.ts';

const PROGRAMS = ['/usr/bin/redis-server', '/usr/bin/valkey-server'];
const PASSWORD = 'sesame';

/** A real Redis that asks for a password and keeps its users in a file, on loopback. */
export class RedisProcess extends DatabaseProcess {
  static async start(): Promise<RedisProcess> {
    const started = new RedisProcess('redis');
    writeFileSync(join(started.dir, 'users.acl'), `user default on >${PASSWORD} ~* &* +@all\n`, {
      mode: 0o666,
    });
    started.port = await freePort();
    await started.up();
    return started;
  }

  /** Starts it, the first time or again: users are kept, data is not. */
  async up(): Promise<void> {
    const program = PROGRAMS.find((path) => existsSync(path));
    if (program === undefined) {
      throw new Error(
        'There is no Redis on this machine, which this test needs: `apt-get install redis-server`',
      );
    }
    await this.start(program, [
      '--bind',
      '127.0.0.1',
      '--port',
      String(this.port),
      '--dir',
      this.dir,
      '--save',
      '',
      '--aclfile',
      join(this.dir, 'users.acl'),
    ]);
    await eventually(
      () => {
        this.mustRun();
        return send(this.url, 'PING');
      },
      { withinMs: 60_000 },
    );
  }

  /** Of a user that may do everything. */
  get url(): string {
    return `redis://:${PASSWORD}@127.0.0.1:${this.port}`;
  }
}

/** One command on a connection of its own. */
export async function send(url: string, ...words: readonly string[]): Promise<unknown> {
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 30_000 } });
  client.on('error', () => {});
  try {
    await client.connect();
    return await client.sendCommand(words);
  } finally {
    if (client.isOpen) client.destroy();
  }
}
