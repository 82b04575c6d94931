import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Ready } from '../../agent/agent.ts';
import { killContainers, removeFromEngine } from './host-containers.ts';
import { killHost } from './host-processes.ts';

export const ROOT = join(import.meta.dirname, '..', '..');
const READY_MS = 120_000;
const STOP_MS = 90_000;

export type AgentOptions = {
  readonly dir: string;
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** An agent as its own process on loopback, started as a person would start it. */
export class AgentProcess {
  readonly dir: string;
  readonly name: string;
  readonly ready: Ready;
  readonly child: ChildProcess;

  private constructor(options: AgentOptions, ready: Ready, child: ChildProcess) {
    this.dir = options.dir;
    this.name = options.name;
    this.ready = ready;
    this.child = child;
  }

  /** Resolves once it says that it serves; its log goes to DIR.log. */
  static async start(options: AgentOptions): Promise<AgentProcess> {
    const { dir, name, args = [], env = {} } = options;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const log = openSync(`${dir}.log`, 'a');
    const child = spawn(
      join(ROOT, 'cli', 'kith'),
      [
        'agent',
        '--data',
        dir,
        '--name',
        name,
        '--host',
        '127.0.0.1',
        '--http',
        '0',
        '--api',
        '0',
        '--mesh',
        '0',
        ...args,
      ],
      { stdio: ['ignore', 'pipe', log], env: { ...process.env, ...env }, detached: true },
    );
    closeSync(log);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const timeout = AbortSignal.timeout(READY_MS);
    const failed = once(child, 'exit', { signal: timeout }).then(([status]) => {
      throw new Error(`Agent "${name}" ended with status ${status} before it was ready: see ${dir}.log`);
    });
    const ready = Promise.race([once(lines, 'line', { signal: timeout }), failed]);
    const [line] = (await ready.catch((error: unknown) => {
      killHost(dir);
      throw error;
    })) as [string];
    // It has come up: how it ends, and that the deadline passes, is not this wait's business any more.
    failed.catch(() => undefined);
    return new AgentProcess(options, JSON.parse(line) as Ready, child);
  }

  get token(): string {
    return join(this.dir, 'token');
  }

  /** The whole host goes at once: agent, router, keeper and dynos; the Engine needs a moment for those in containers. */
  async killHost(): Promise<void> {
    killHost(this.dir);
    if (this.ready.runtime === 'docker') await killContainers(this.dir);
  }

  /** Only the agent dies; router and dynos live on. The CLI launcher execs it, so that its pid is the agent's. */
  signalAgent(signal: NodeJS.Signals): void {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
  }

  async exited(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await once(this.child, 'exit', { signal: AbortSignal.timeout(STOP_MS) });
  }

  /** Ends it as SIGTERM does, and in any case. */
  async stop(): Promise<void> {
    this.signalAgent('SIGTERM');
    try {
      await this.exited();
    } finally {
      killHost(this.dir);
      if (this.ready.runtime === 'docker') await removeFromEngine(this.dir);
    }
  }
}
