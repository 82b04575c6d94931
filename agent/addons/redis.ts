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
import { RedisServer, type RedisAdmin } from './redis-server.ts';
import { FIRST_GENERATION, type SecretMaker } from './secret-maker.ts';

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

/**
 * Which add-on has which of the server's databases. No user may choose database 1, and every user begins in database 0:
 * so the books are kept in the former, and the latter is nobody's.
 */
const BOOKS_DATABASE = '1';
const BOOKS = 'kith:databases';
const FIRST_DATABASE = 2;
const NO_ROOM = -1;

/**
 * Gives an add-on the database that it has, or the first that is free, at one go whoever else asks. What users are known to
 * have (pairs, from the fourth argument on) is believed too, as users may outlive the data of a server; and a database that
 * holds anything is somebody's.
 */
const CLAIM = `
for each = 4, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[each], ARGV[each + 1]) end
local mine = redis.call('HGET', KEYS[1], ARGV[1])
if mine then return tonumber(mine) end
local taken = {}
for _, each in ipairs(redis.call('HVALS', KEYS[1])) do taken[tonumber(each)] = true end
local found = ${NO_ROOM}
for each = tonumber(ARGV[2]), tonumber(ARGV[3]) - 1 do
  if not taken[each] then
    redis.call('SELECT', each)
    if redis.call('DBSIZE') == 0 then found = each break end
  end
end
redis.call('SELECT', ${BOOKS_DATABASE})
if found >= 0 then redis.call('HSET', KEYS[1], ARGV[1], found) end
return found`;

/**
 * All but what reaches beyond one's own database or tells of the server. SELECT is given back for that one alone. Functions,
 * and the list of keys that clients track, are the whole server's.
 */
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
  '-function',
  '-script|flush',
  '-script|kill',
  '-script|debug',
  '-client|tracking',
  '-memory',
  '+memory|usage',
  '+info',
  '+keys',
  '+flushdb',
  '+sort',
];

/** A database and a user on a Redis server that the owner of the machines names. */
export function redis(settings: ProviderSettings, secretFor: SecretMaker): BuiltInProvider {
  return {
    service: SERVICE,
    provider: new Redis(settings, secretFor),
    settings: { server: 'redis://:PASSWORD@HOST:6379, of a user that may do everything' },
  };
}

export class Redis implements AddonProvider {
  readonly asksAgain = false;
  readonly #settings: ProviderSettings;

  readonly #secretFor: SecretMaker;

  constructor(settings: ProviderSettings, secretFor: SecretMaker) {
    this.#settings = settings;
    this.#secretFor = secretFor;
  }

  async provision({ uuid }: { uuid: AddonId }, signal: AbortSignal) {
    const server = this.#server();
    const user = usersOf(uuid)[0];
    const password = this.#secretFor(uuid, FIRST_GENERATION);
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
      const users = await databasesOfUsers(admin);
      await admin.send('SELECT', BOOKS_DATABASE);
      const database = (await admin.send('HGET', BOOKS, uuid)) ?? users.get(uuid);
      await admin.send('ACL', 'DELUSER', ...usersOf(uuid));
      if (typeof database === 'string') {
        await admin.send('SELECT', database);
        await admin.send('FLUSHDB', 'ASYNC');
        await admin.send('SELECT', BOOKS_DATABASE);
        await admin.send('HDEL', BOOKS, uuid);
      }
      await keepUsers(admin);
    });
  }

  /**
   * Makes the other of the two users, with a new password. The one before goes on to work until `endOthers`, so that no
   * dyno is locked out, and whoever dies in between has changed nothing.
   */
  async rotate({ uuid, config, generation }: Rotation, signal: AbortSignal): Promise<AddonConfig> {
    const server = this.#server();
    const [first, second] = usersOf(uuid);
    const next = usernameOf(config) === first ? second : first;
    const password = this.#secretFor(uuid, generation);
    const database = await server.with(signal, async (admin) => {
      const found = await claim(admin, uuid);
      await setUser(admin, next, password, found);
      await keepUsers(admin);
      return found;
    });
    return { REDIS_URL: server.addressOf(next, password, database) };
  }

  /** Whoever is not in the app's config any more is let in no more. */
  async endOthers({ uuid, config }: Omit<Rotation, 'generation'>, signal: AbortSignal): Promise<void> {
    const used = usernameOf(config);
    const users: readonly string[] = usersOf(uuid);
    // A config that is none of ours says nothing of which of them is in use.
    if (!users.includes(used)) return;
    await this.#server().with(signal, async (admin) => {
      await admin.send('ACL', 'DELUSER', ...users.filter((user) => user !== used));
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
}

async function claim(admin: RedisAdmin, uuid: AddonId): Promise<number> {
  const [, count = '16'] = (await admin.send('CONFIG', 'GET', 'databases')) as readonly string[];
  const users = await databasesOfUsers(admin);
  await admin.send('SELECT', BOOKS_DATABASE);
  const range = [String(FIRST_DATABASE), count];
  const found = Number(await admin.send('EVAL', CLAIM, '1', BOOKS, uuid, ...range, ...[...users].flat()));
  if (found !== NO_ROOM) return found;
  throw new PlatformError(
    'invalid_params',
    `The Redis server has no free database: it has ${count}, of which add-ons can have ${Number(count) - FIRST_DATABASE}`,
    { hint: 'Destroy an add-on, or raise `databases` in its config file' },
  );
}

/** What the server's list of users says of who has which database. */
async function databasesOfUsers(admin: RedisAdmin): Promise<ReadonlyMap<string, string>> {
  const lines = (await admin.send('ACL', 'LIST')) as readonly string[];
  return new Map(
    lines.flatMap((line): readonly (readonly [string, string])[] => {
      const [, hex = '', database] = /^user kith_([0-9a-f]{32})_[ab] .*\+select\|(\d+)/.exec(line) ?? [];
      return database === undefined ? [] : [[hex.replace(UUID_PARTS, '$1-$2-$3-$4-$5'), database]];
    }),
  );
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

const UUID_PARTS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

function usersOf(uuid: AddonId): readonly [string, string] {
  const name = `kith_${uuid.replaceAll('-', '')}`;
  return [`${name}_a`, `${name}_b`];
}

function usernameOf({ REDIS_URL = '' }: AddonConfig): string {
  return URL.canParse(REDIS_URL) ? new URL(REDIS_URL).username : '';
}
