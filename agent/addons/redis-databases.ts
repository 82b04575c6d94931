import { PlatformError } from '../../src/errors.ts';
import type { AddonId } from '../../src/ids.ts';
import type { RedisAdmin } from './redis-server.ts';

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

const UUID_PARTS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** The database of an add-on, which it has from now on. @throws PlatformError `invalid_params` when all are taken */
export async function claim(admin: RedisAdmin, uuid: AddonId): Promise<number> {
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

/** Empties it and gives it back, once its users are gone. */
export async function release(
  admin: RedisAdmin,
  uuid: AddonId,
  endUsers: () => Promise<unknown>,
): Promise<void> {
  const users = await databasesOfUsers(admin);
  await admin.send('SELECT', BOOKS_DATABASE);
  const database = (await admin.send('HGET', BOOKS, uuid)) ?? users.get(uuid);
  await endUsers();
  if (typeof database !== 'string') return;
  await admin.send('SELECT', database);
  await admin.send('FLUSHDB', 'ASYNC');
  await admin.send('SELECT', BOOKS_DATABASE);
  await admin.send('HDEL', BOOKS, uuid);
}
