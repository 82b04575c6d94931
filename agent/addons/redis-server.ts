import { PlatformError } from '../../src/errors.ts';
import type { AddressHere } from './address-here.ts';

const CONNECT_MS = 5_000;
const COMMAND_MS = 20_000;

export type RedisAdmin = { send(...words: readonly string[]): Promise<unknown> };

/** A server that the owner names, seen with the rights of an administrator. */
export class RedisServer {
  readonly url: URL;
  readonly #here: AddressHere;

  /** @throws PlatformError `invalid_params` for what is no `redis://[USER:PASSWORD@]HOST[:PORT]` */
  constructor(url: string, here: AddressHere) {
    const parsed = URL.canParse(url) ? new URL(url) : null;
    if (parsed === null || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
      throw new PlatformError('invalid_params', 'The setting "server" of kith-redis is no address', {
        hint: 'It looks like redis://:PASSWORD@HOST:6379',
      });
    }
    this.url = parsed;
    this.#here = here;
  }

  /** Where a user of it finds a database. */
  addressOf(user: string, password: string, database: number): string {
    const url = new URL(this.url);
    url.username = user;
    url.password = password;
    url.pathname = `/${database}`;
    return url.href;
  }

  /** Works on one connection, which begins in database 0. */
  async with<T>(signal: AbortSignal, work: (admin: RedisAdmin) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const url = this.#here(this.url);
    url.pathname = '';
    // Most peers never speak to a database: the driver is loaded by those that do.
    const { createClient, RESP_TYPES } = await import('@redis/client');
    signal.throwIfAborted();
    const client = createClient({
      url: url.href,
      RESP: 2,
      commandOptions: { timeout: COMMAND_MS, typeMapping: { [RESP_TYPES.BLOB_STRING]: String } },
      socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false },
    });
    // Without a listener, a server that goes away would end the agent; the command under way rejects by itself.
    client.on('error', () => {});
    const onAbort = (): void => client.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await client.connect();
      return await work({ send: (...words) => client.sendCommand(words) });
    } catch (error) {
      throw readable(error, this.url);
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (client.isOpen) client.destroy();
    }
  }
}

/** Who asks is not let in, or may not do it: asking again would change nothing. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(WRONGPASS|NOAUTH|NOPERM)\b/.test(error.message);
}

/** The server's own words, without the address that holds a password. */
function readable(error: unknown, { host }: URL): PlatformError {
  if (error instanceof PlatformError) return error;
  const said = error instanceof Error && error.message !== '' ? error.message : 'it does not answer';
  const code = isRefusal(error) ? 'invalid_params' : 'unavailable';
  return new PlatformError(code, `The Redis server at "${host}" refuses: ${said}`, { cause: error });
}
