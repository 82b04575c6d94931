import { createHmac } from 'node:crypto';
import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type {
  AddonConfig,
  AddonProvider,
  AddonService,
  BuiltInProvider,
  ProviderSettings,
} from '../../src/shell/addon-provider.ts';
import { RedisServer, type RedisAdmin } from './redis-server.ts';

const ID = 'kith-redis';

const SERVICE: AddonService = {
  id: ID,
  name: 'Kith Redis',
  prefix: 'REDIS',
  configVars: ['REDIS_URL'],
  plans: [
    { name: 'mini', humanName: 'Mini', description: 'A database of a server that add-ons share', cents: 0 },
  ],
  isBuiltIn: true,
};

/** Which add-on has which of the server's databases: a hash in database 0, which no add-on is given. */
const DATABASES = 'kith:databases';
const NO_ROOM = -1;

/** Gives an add-on the database that it has, or the first that is free, at one go whoever else asks. */
const CLAIM = `
local mine = redis.call('HGET', KEYS[1], ARGV[1])
if mine then return tonumber(mine) end
local taken = {}
for _, each in ipairs(redis.call('HVALS', KEYS[1])) do taken[tonumber(each)] = true end
for each = 1, tonumber(ARGV[2]) - 1 do
  if not taken[each] then redis.call('HSET', KEYS[1], ARGV[1], each) return each end
end
return ${NO_ROOM}`;

/** All but what reaches beyond one's own database or tells of the server; SELECT is given back for that one alone. */
const RIGHTS = [
  '~*',
  '&*',
  '+@all',
  '-@dangerous',
  '-@admin',
  '-select',
  '-move',
  '-copy',
  '-swapdb',
  '+info',
  '+keys',
  '+flushdb',
  '+sort',
];

/** A database and a user on a Redis server that the owner of the machines names. */
export function redis(settings: ProviderSettings): BuiltInProvider {
  return {
    service: SERVICE,
    provider: new Redis(settings),
    settings: { server: 'redis://:PASSWORD@HOST:6379, of a user that may do everything' },
  };
}

export class Redis implements AddonProvider {
  readonly asksAgain = false;
  readonly #settings: ProviderSettings;

  constructor(settings: ProviderSettings) {
    this.#settings = settings;
  }

  async provision({ uuid }: { uuid: AddonId }, signal: AbortSignal) {
    const server = this.#server();
    const user = usersOf(uuid)[0];
    const password = this.#password(server, uuid, 0);
    const { database, isKept } = await server.with(signal, async (admin) => {
      const found = await claim(admin, uuid);
      await setUser(admin, user, password, found);
      return { database: found, isKept: await keepUsers(admin) };
    });
    const config = { REDIS_URL: server.addressOf(user, password, database) };
    const message = isKept
      ? null
      : 'This server keeps users in memory only: give it an `aclfile`, or a config file that it may write';
    return { state: 'provisioned', id: uuid, config, message, logDrainUrl: null } as const;
  }

  /** There is one plan. */
  async changePlan() {
    return { config: null, message: null };
  }

  async deprovision({ uuid }: { uuid: AddonId }, signal: AbortSignal): Promise<void> {
    await this.#server().with(signal, async (admin) => {
      await admin.send('ACL', 'DELUSER', ...usersOf(uuid));
      const database = await admin.send('HGET', DATABASES, uuid);
      if (typeof database === 'string') {
        await admin.send('SELECT', database);
        await admin.send('FLUSHDB');
        await admin.send('SELECT', '0');
        await admin.send('HDEL', DATABASES, uuid);
      }
      await keepUsers(admin);
    });
  }

  /**
   * Makes the other of the two users, with a new password. The one before goes on to work until `endOthers`, so that no
   * dyno is locked out, and whoever dies in between has changed nothing.
   * @returns the config to be released
   */
  async rotate(uuid: AddonId, current: AddonConfig, signal: AbortSignal): Promise<AddonConfig> {
    const server = this.#server();
    const [first, second] = usersOf(uuid);
    const next = usernameOf(current) === first ? second : first;
    const password = this.#password(server, uuid, Date.now());
    const database = await server.with(signal, async (admin) => {
      const found = await claim(admin, uuid);
      await setUser(admin, next, password, found);
      await keepUsers(admin);
      return found;
    });
    return { REDIS_URL: server.addressOf(next, password, database) };
  }

  /** Whoever is not in the app's config any more is let in no more. */
  async endOthers(uuid: AddonId, current: AddonConfig, signal: AbortSignal): Promise<void> {
    const others = usersOf(uuid).filter((user) => user !== usernameOf(current));
    await this.#server().with(signal, async (admin) => {
      await admin.send('ACL', 'DELUSER', ...others);
      await keepUsers(admin);
    });
  }

  #server(): RedisServer {
    const { server } = this.#settings(ID);
    if (server !== undefined) return new RedisServer(server);
    throw new PlatformError('invalid_params', `${ID} has no server to make databases on`, {
      hint: `An admin names one: kith providers:set ${ID} server`,
    });
  }

  /** The same whoever asks, however often, so that a second try agrees with a first whose answer was lost. */
  #password({ url }: RedisServer, uuid: AddonId, generation: number): string {
    return createHmac('sha256', url.href).update(`${uuid}/${generation}`).digest('base64url');
  }
}

async function claim(admin: RedisAdmin, uuid: AddonId): Promise<number> {
  const [, count] = (await admin.send('CONFIG', 'GET', 'databases')) as readonly string[];
  const found = Number(await admin.send('EVAL', CLAIM, '1', DATABASES, uuid, count ?? '16'));
  if (found !== NO_ROOM) return found;
  throw new PlatformError('invalid_params', `The Redis server has no free database: all ${count} are taken`, {
    hint: 'Destroy an add-on, or raise `databases` in its config file',
  });
}

async function setUser(admin: RedisAdmin, user: string, password: string, database: number): Promise<void> {
  await admin.send('ACL', 'SETUSER', user, 'reset', 'on', `>${password}`, ...RIGHTS, `+select|${database}`);
}

/** Where the server has a file for it. @returns whether users outlive its restart */
async function keepUsers(admin: RedisAdmin): Promise<boolean> {
  for (const words of [
    ['ACL', 'SAVE'],
    ['CONFIG', 'REWRITE'],
  ]) {
    const isDone = await admin.send(...words).then(
      () => true,
      () => false,
    );
    if (isDone) return true;
  }
  return false;
}

function usersOf(uuid: AddonId): readonly [string, string] {
  const name = `kith_${uuid.replaceAll('-', '')}`;
  return [`${name}_a`, `${name}_b`];
}

function usernameOf({ REDIS_URL = '' }: AddonConfig): string {
  return URL.canParse(REDIS_URL) ? new URL(REDIS_URL).username : '';
}
