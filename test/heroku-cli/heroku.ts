import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { herokuEnv } from '../../cli/lib/heroku/heroku-env.ts';
import { ROOT } from '../../scripts/lib/agent-process.ts';
import { must, run, type Ran } from '../../scripts/lib/kith.ts';
import type { ClusterResource } from '../../src/platform/cluster.ts';
import { WAIT_MS, type Cluster } from '../cluster/cluster.ts';
import type { Peer } from '../cluster/peer.ts';
import { eventually } from '../helpers/eventually.ts';

/** The official CLI as npm installed it. */
export const PROGRAM = join(ROOT, 'node_modules', '.bin', 'heroku');
const GUARD = pathToFileURL(join(import.meta.dirname, 'loopback-guard.ts')).href;
const COMMAND_MS = 120_000;
/** A command of the official CLI takes a second where nothing else runs. */
const SHOW_MS = 2 * WAIT_MS;

type Options = {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/**
 * A person with the official CLI, a home of their own and one token. Each command goes to another peer than the last,
 * so that every answer proves replication too; each fails that would speak to anything but loopback.
 */
export class Heroku {
  readonly home: string;
  readonly #cluster: Cluster;
  readonly #token: () => string;
  #turn = 0;

  /** @param token whose CLI it is; that of the first peer's owner unless said */
  constructor(cluster: Cluster, name = 'home', token?: () => string) {
    this.home = join(cluster.dir, name);
    this.#cluster = cluster;
    this.#token = token ?? (() => this.#peerAt(0).token);
  }

  /** The peer that the next command speaks to. */
  next(): Peer {
    const peer = this.#peerAt(this.#turn);
    this.#turn += 1;
    return peer;
  }

  /** Runs one command, which may fail. */
  async try(args: readonly string[], options: Options = {}): Promise<Ran> {
    const env = { ...(await this.env(this.next())), ...options.env };
    const ran = await run(PROGRAM, args, {
      cwd: this.home,
      withinMs: COMMAND_MS,
      isBare: true,
      ...options,
      env,
    });
    this.#assertStayedHome(args);
    return ran;
  }

  /** Runs one command that must succeed. @returns its stdout: results, for spinners go to stderr */
  async run(...args: readonly string[]): Promise<string> {
    return must(await this.try(args)).stdout;
  }

  /** Runs one command as often as there are peers: once at each. */
  async everywhere(args: readonly string[], options: Options = {}): Promise<readonly Ran[]> {
    const all: Ran[] = [];
    for (const { length } = this.#cluster.peers; all.length < length;)
      all.push(await this.try(args, options));
    return all;
  }

  /** Runs one command that must fail. @returns its status, and what it said as one line */
  async fails(
    ...args: readonly string[]
  ): Promise<{ readonly status: number | null; readonly said: string }> {
    const { status, stdout, stderr } = await this.try(args);
    if (status === 0) throw new Error(`"heroku ${args.join(' ')}" did not fail: ${stdout}${stderr}`);
    return { status, said: stderr.replaceAll(/[\s›]+/g, ' ').trim() };
  }

  /** Runs a command at peer after peer until it prints all of this: what one peer wrote, others hear of in a moment. */
  async shows(args: readonly string[], ...wanted: readonly (string | RegExp)[]): Promise<string> {
    return eventually(
      async () => {
        const { status, stdout, stderr } = await this.try(args);
        for (const what of wanted) {
          const isThere = typeof what === 'string' ? stdout.includes(what) : what.test(stdout);
          if (!isThere)
            throw new Error(
              `"${args.join(' ')}" ends with ${status}, not with ${what}:\n${stdout}\n${stderr}`,
            );
        }
        return { stdout };
      },
      { withinMs: SHOW_MS, everyMs: 200 },
    ).then(({ stdout }) => stdout);
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(...args, '--json')) as T;
  }

  /**
   * The environment that `kith heroku` makes for this peer, and a home where nothing is but what the CLI puts there. The peer
   * has heard of all that was written at others before.
   */
  async env(peer: Peer): Promise<Readonly<Record<string, string>>> {
    mkdirSync(this.home, { recursive: true });
    await peer.inStep(() => Promise.resolve());
    const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    const access = {
      address: new URL(peer.api).host,
      token: this.#token(),
      caFile: await this.#caFile(peer),
      program: PROGRAM,
    };
    return {
      HOME: this.home,
      PATH: path,
      XDG_CONFIG_HOME: join(this.home, '.config'),
      XDG_DATA_HOME: join(this.home, '.local/share'),
      XDG_CACHE_HOME: join(this.home, '.cache'),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      NO_COLOR: '1',
      TERM: 'dumb',
      NODE_OPTIONS: `--import=${GUARD} --disable-warning=ExperimentalWarning`,
      KITH_TEST_OUTSIDE: this.#outside,
      ...herokuEnv(access, { PATH: path, GIT_SSL_CAINFO: process.env['GIT_SSL_CAINFO'] }),
    };
  }

  async #caFile(peer: Peer): Promise<string> {
    const file = join(this.home, 'ca.pem');
    if (existsSync(file)) return file;
    const { ca_cert: pem } = await peer.call<ClusterResource>('/kith/cluster');
    writeFileSync(file, pem ?? '');
    return file;
  }

  get #outside(): string {
    return join(this.home, 'outside');
  }

  #assertStayedHome(args: readonly string[]): void {
    if (!existsSync(this.#outside)) return;
    throw new Error(`"heroku ${args.join(' ')}" left loopback: ${readFileSync(this.#outside, 'utf8')}`);
  }

  #peerAt(turn: number): Peer {
    const { peers } = this.#cluster;
    const peer = peers[turn % peers.length];
    if (peer === undefined) throw new Error('A cluster has at least one peer');
    return peer;
  }
}

/** Every peer has heard of all that the others know. */
export async function replicated({ peers }: Cluster): Promise<void> {
  const nothing = (): Promise<void> => Promise.resolve();
  for (const peer of peers) await peer.inStep(nothing);
  for (const peer of peers) await peer.inStep(nothing);
}
