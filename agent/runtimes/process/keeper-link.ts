import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { ensureSideProcess } from '../../lib/side-process.ts';
import type { Tasks } from '../../lib/tasks.ts';
import type { DynoRecord, Request } from '../keeper/protocol.ts';
import { attachToKeeper, KeeperClient, type KeeperEvent } from './keeper-client.ts';

const KEEPER_MAIN = fileURLToPath(new URL('../keeper/main.ts', import.meta.url));
const RETRY_MS = 250;
const RETRY_MS_MAX = 5_000;
const CONNECTED_MS_MAX = 30_000;

type Options = {
  readonly dir: string;
  /** Beginning of the marker of this keeper's dynos without namespace. */ readonly marker: string;
  readonly onEvent: (event: KeeperEvent) => void;
  /** A lost connection was made again, to the old keeper or a new one: what that holds. */
  readonly onRegained: (client: KeeperClient, kept: readonly DynoRecord[]) => void;
  readonly tasks: Tasks;
  readonly log: Logger;
};

/** The connection to this peer's keeper, which is started when there is none and again when it dies. */
export class KeeperLink implements AsyncDisposable {
  readonly #options: Options;
  readonly #socketPath: string;
  readonly #closing = new AbortController();
  #client: Promise<KeeperClient>;
  #isRegaining = false;

  constructor(options: Options) {
    this.#options = options;
    this.#socketPath = join(options.dir, 'keeper', 'keeper.sock');
    this.#client = this.#connect();
  }

  /** Rejects with the keeper's reason as message, or when there is no keeper for 30 s. */
  async request(request: Request): Promise<unknown> {
    const deadline = AbortSignal.timeout(CONNECTED_MS_MAX);
    const late = new Promise<never>((_, reject) => {
      deadline.addEventListener('abort', () =>
        reject(new Error('the keeper of this peer cannot be reached')),
      );
    });
    const client = await Promise.race([this.#client, late]);
    return await client.request(request);
  }

  async list(): Promise<readonly DynoRecord[]> {
    return (await this.request({ tag: 'list' })) as readonly DynoRecord[];
  }

  attach(dyno: string): Promise<Duplex> {
    return attachToKeeper(this.#socketPath, dyno);
  }

  /** Ends the keeper, and with it all dynos. */
  async shutdown(): Promise<void> {
    this.#closing.abort();
    await this.request({ tag: 'shutdown' });
  }

  /** Lets go; keeper and dynos stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#client.then(
      (client) => client.close(),
      () => {},
    );
  }

  async #connect(): Promise<KeeperClient> {
    const { dir, marker, onEvent, log } = this.#options;
    const args = [this.#socketPath, marker];
    const { socket, spawned } = await ensureSideProcess(
      KEEPER_MAIN,
      args,
      this.#socketPath,
      join(dir, 'keeper.log'),
    );
    log.debug({ spawned }, 'keeper found');
    return new KeeperClient(socket, onEvent, (isSuperseded) => this.#onLost(isSuperseded));
  }

  #onLost(isSuperseded: boolean): void {
    const { log, tasks } = this.#options;
    if (this.#closing.signal.aborted || this.#isRegaining) return;
    if (isSuperseded) {
      log.error('another agent took over the keeper of this data folder');
      this.#closing.abort();
      return;
    }
    log.error('keeper lost');
    this.#isRegaining = true;
    this.#client = this.#regain();
    tasks.run('regain the keeper', () => this.#client);
  }

  async #regain(): Promise<KeeperClient> {
    for (let retryMs = RETRY_MS; ; retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)) {
      this.#closing.signal.throwIfAborted();
      try {
        const client = await this.#connect();
        const kept = (await client.request({ tag: 'list' })) as DynoRecord[];
        this.#isRegaining = false;
        this.#options.onRegained(client, kept);
        return client;
      } catch (err) {
        this.#options.log.error({ err, retryMs }, 'keeper could not be started');
        await sleep(retryMs, undefined, { signal: this.#closing.signal });
      }
    }
  }
}
