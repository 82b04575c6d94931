import { readFileSync } from 'node:fs';
import { AgentProcess, type AgentOptions } from '../../scripts/lib/agent-process.ts';
import { appRequest, type AppAnswer } from '../../scripts/lib/app-request.ts';
import { killHost } from '../../scripts/lib/host-processes.ts';
import { kith, must, type Ran } from '../../scripts/lib/kith.ts';
import type { DynoResource } from '../../src/platform/dyno.ts';
import type { PeerResource } from '../../src/platform/peer.ts';
import { InStep } from './in-step.ts';

/** A host of the cluster: it keeps its name and folder through deaths and returns of its agent. */
export class Peer {
  readonly name: string;
  readonly dir: string;
  readonly #env: Readonly<Record<string, string>>;
  #agent: AgentProcess | null = null;
  /** Shared by all peers that a test goes from one to another of. */
  steps: InStep = new InStep([]);

  /** @param env what its agent is started with */
  constructor(dir: string, name: string, env: Readonly<Record<string, string>> = {}) {
    this.dir = dir;
    this.name = name;
    // Containers have tests of their own: what a cluster does is the same whichever runs its dynos.
    this.#env = { KITH_RUNTIME: 'process', ...env };
  }

  /** Boots the host, the first time or again. */
  async start(options: Pick<AgentOptions, 'args' | 'env'> = {}): Promise<void> {
    this.#agent = await AgentProcess.start({
      dir: this.dir,
      name: this.name,
      ...options,
      env: { ...this.#env, ...options.env },
    });
  }

  /** The agent that runs, or ran last. */
  get agent(): AgentProcess {
    if (this.#agent === null) throw new Error(`"${this.name}" was never started`);
    return this.#agent;
  }

  get id(): string {
    return this.agent.ready.peer;
  }

  get api(): string {
    return this.agent.ready.api;
  }

  get token(): string {
    return readFileSync(this.agent.token, 'utf8').trim();
  }

  /** Runs the CLI against this peer's Unix socket; throws unless it succeeds. @returns what it said on stdout */
  async kith(args: readonly string[], options: Parameters<typeof kith>[2] = {}): Promise<string> {
    return must(await this.tryKith(args, options)).stdout;
  }

  /** Outside any checkout, unless told a `cwd`: the CLI writes git remotes where it finds one. */
  tryKith(args: readonly string[], options: Parameters<typeof kith>[2] = {}): Promise<Ran> {
    return this.inStep(() => kith(this.dir, args, { cwd: '/', withinMs: 240_000, ...options }));
  }

  /** Asks something of this peer once it has heard of what others were asked before. */
  async inStep<T>(ask: () => Promise<T>): Promise<T> {
    await this.steps.before(this);
    try {
      return await ask();
    } finally {
      this.steps.after(this);
    }
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.kith([...args, '--json'])) as T;
  }

  /** One call of the API with the peer's own token: faster than the CLI where a test asks again and again. */
  call<T>(path: string, init: RequestInit = {}): Promise<T> {
    return this.inStep(async () => {
      const response = await fetch(`${this.api}${path}`, {
        ...init,
        headers: {
          authorization: `Bearer ${this.token}`,
          'content-type': 'application/json',
          // One that was kept could be closed by the agent at the moment that it is used again.
          connection: 'close',
        },
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      if (!response.ok)
        throw new Error(`"${this.name}" answered ${response.status} to ${path}: ${text.slice(0, 300)}`);
      return JSON.parse(text) as T;
    });
  }

  peers(): Promise<readonly PeerResource[]> {
    return this.call('/kith/peers');
  }

  dynos(app: string): Promise<readonly DynoResource[]> {
    return this.call(`/apps/${app}/dynos`);
  }

  /** One request through this peer's router. */
  request(app: string, path = '/'): Promise<AppAnswer> {
    return appRequest(this.agent.ready.http, app, path);
  }

  /** The host loses its power: see `killWithContainers` where dynos are in the Engine. */
  kill(): void {
    killHost(this.dir);
  }

  /** The host loses its power, and with it its part of the Engine. */
  async killWithContainers(): Promise<void> {
    await this.agent.killHost();
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
  }

  /** The last lines that its agent logged. */
  logTail(lines = 40): string {
    try {
      return readFileSync(`${this.dir}.log`, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no log)';
    }
  }
}
