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
import { claim, release } from './redis-databases.ts';
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
export function redis(
  settings: ProviderSettings,
  secretFor: SecretMaker,
  here: AddressHere,
): BuiltInProvider {
  return {
    service: SERVICE,
    provider: new Redis(settings, secretFor, here),
    settings: { server: 'redis://:PASSWORD@HOST:6379, of a user that may do everything' },
  };
}

export class Redis implements AddonProvider {
  readonly asksAgain = false;
  readonly #settings: ProviderSettings;
  readonly #secretFor: SecretMaker;
  readonly #here: AddressHere;

  constructor(settings: ProviderSettings, secretFor: SecretMaker, here: AddressHere) {
    this.#settings = settings;
    this.#secretFor = secretFor;
    this.#here = here;
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
      await release(admin, uuid, () => admin.send('ACL', 'DELUSER', ...usersOf(uuid)));
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
    if (server !== undefined) return new RedisServer(server, this.#here);
    throw new PlatformError('invalid_params', `${ID} has no server to make databases on`, {
      hint: `An admin names one (kith providers:set ${ID} server), or has Kith run one: kith providers:run ${ID}`,
    });
  }
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
