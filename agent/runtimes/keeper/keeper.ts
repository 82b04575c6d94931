import type { Socket } from 'node:net';
import { onJsonLines } from '../../lib/json-lines.ts';
import { AgentLink } from './agent-link.ts';
import { KeptDyno } from './kept-dyno.ts';
import { listProcesses, type ProcessEntry } from './process-tree.ts';
import { NOT_RUNNING, type Greeting, type Launch, type Request } from './protocol.ts';
import { readLine } from './read-line.ts';
import { startWarden } from './warden.ts';

const GREETING_BYTES_MAX = 4_096;
const GREETING_MS_MAX = 5_000;
const IDLE_EXIT_MS = 60_000;
const MEMORY_CHECK_MS = 500;
const EXEC_CLAIM_MS = 30_000;

/** Parent of all dynos of one agent: runs them, keeps what they say, and tells whichever agent is there. */
export class Keeper {
  readonly #dynos = new Map<string, KeptDyno>();
  /** Commands beside dynos, each as long as it has a client. */
  readonly #execs = new Map<string, KeptDyno>();
  readonly #wardenMarker: string;
  readonly #isReachable: () => boolean;
  readonly #exit: () => void;
  #link: AgentLink | null = null;
  #hasWarden = false;
  #idleTimer: NodeJS.Timeout | undefined;
  #memoryTimer: NodeJS.Timeout | undefined;

  /**
   * @param wardenMarker beginning of the marker of every dyno that has no namespace
   * @param isReachable whether an agent could still find this keeper's socket
   */
  constructor(wardenMarker: string, isReachable: () => boolean, exit: () => void) {
    this.#wardenMarker = wardenMarker;
    this.#isReachable = isReachable;
    this.#exit = exit;
    this.#armIdleExit();
  }

  /** Looks at the memory of all dynos, for as long as there are any. */
  #watchMemory(): void {
    if (this.#memoryTimer !== undefined) return;
    this.#memoryTimer = setTimeout(() => {
      this.#memoryTimer = undefined;
      if (this.#dynos.size === 0) return;
      let listed: readonly ProcessEntry[] | undefined;
      for (const dyno of this.#dynos.values()) dyno.checkMemory(() => (listed ??= listProcesses()));
      this.#watchMemory();
    }, MEMORY_CHECK_MS);
  }

  async onConnection(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    try {
      const greeting = JSON.parse(await readLine(socket, GREETING_BYTES_MAX, GREETING_MS_MAX)) as Greeting;
      if (greeting.tag === 'agent') this.#serveAgent(socket);
      else this.#serveClient(socket, greeting.dyno);
    } catch (error) {
      console.error('connection refused', String(error));
      socket.destroy();
    }
  }

  /** One agent at a time: the newest. */
  #serveAgent(socket: Socket): void {
    const link = new AgentLink(socket);
    this.#link?.send({ tag: 'superseded' });
    this.#link?.close();
    this.#link = link;
    for (const exec of this.#execs.values()) void this.#endExec(exec);
    clearTimeout(this.#idleTimer);
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.#link !== link) return;
      this.#link = null;
      for (const exec of this.#execs.values()) void this.#endExec(exec);
      this.#armIdleExit();
    });
    onJsonLines(socket, (value) => void this.#answer(link, value as Request & { readonly id: number }));
  }

  #serveClient(socket: Socket, id: string): void {
    const exec = this.#execs.get(id);
    if (exec !== undefined) socket.once('close', () => void this.#endExec(exec));
    const dyno = exec ?? this.#dynos.get(id);
    if (dyno === undefined || dyno.isTaken) {
      const reason = dyno === undefined ? 'there is no such dyno' : 'it takes one client, once';
      socket.end(`${JSON.stringify({ reason })}\n`);
      return;
    }
    socket.write('{}\n');
    dyno.attach(socket);
  }

  async #answer(link: AgentLink, request: Request & { readonly id: number }): Promise<void> {
    try {
      link.send({ tag: 'reply', id: request.id, value: await this.#perform(link, request) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      link.send({ tag: 'refused', id: request.id, reason });
    }
    if (request.tag === 'shutdown') setImmediate(this.#exit);
  }

  async #perform(link: AgentLink, request: Request): Promise<unknown> {
    switch (request.tag) {
      case 'list':
        return [...this.#dynos.values()].map((dyno) => dyno.record());
      case 'follow':
        for (const dyno of this.#dynos.values()) {
          const told = request.told[dyno.id];
          if (told !== undefined) link.follow(dyno, told);
        }
        return null;
      case 'spawn':
        return await this.#spawn(link, request.launch);
      case 'exec':
        return await this.#exec(link, request.dyno, request.launch);
      case 'signal':
        return this.#kept(request.dyno)?.signal(request.signal) ?? null;
      case 'resize':
        return this.#kept(request.dyno)?.resize(request.columns, request.rows) ?? null;
      case 'remove':
        return await this.#remove(link, request.dyno);
      case 'shutdown':
        return await this.#killAll();
      default:
        throw new Error(`it does not know the request "${String((request as { tag: unknown }).tag)}"`);
    }
  }

  async #spawn(link: AgentLink, launch: Launch): Promise<unknown> {
    if (this.#dynos.has(launch.dyno)) throw new Error('it runs already');
    if (launch.containment.tag === 'marker' && !this.#hasWarden) {
      this.#hasWarden = true;
      startWarden(this.#wardenMarker);
    }
    const dyno = await KeptDyno.spawn(launch, () => this.#link?.wake());
    this.#dynos.set(launch.dyno, dyno);
    this.#watchMemory();
    link.follow(dyno, null);
    try {
      await dyno.started();
    } catch (error) {
      await this.#remove(link, launch.dyno);
      throw error;
    }
    return dyno.record();
  }

  async #exec(link: AgentLink, id: string, launch: Launch): Promise<null> {
    const dyno = this.#dynos.get(id);
    if (dyno === undefined || !dyno.isRunning) throw new Error(NOT_RUNNING);
    const secrets = dyno.environment + launch.secrets;
    const exec = await KeptDyno.spawn({ ...launch, secrets }, () => this.#link?.wake());
    this.#execs.set(exec.id, exec);
    link.follow(exec, null);
    try {
      await exec.started();
    } catch (error) {
      link.unfollow(exec.id);
      await this.#endExec(exec);
      throw dyno.isRunning ? error : new Error(NOT_RUNNING);
    }
    setTimeout(() => {
      if (!exec.isTaken) void this.#endExec(exec);
    }, EXEC_CLAIM_MS).unref();
    return null;
  }

  /** One that has closed its output is about to end by itself, and its status is wanted. */
  async #endExec(exec: KeptDyno): Promise<void> {
    if (!exec.isSilent) await exec.kill();
    await exec.ended;
    this.#execs.delete(exec.id);
  }

  #kept(id: string): KeptDyno | undefined {
    return this.#dynos.get(id) ?? this.#execs.get(id);
  }

  async #remove(link: AgentLink, id: string): Promise<null> {
    const dyno = this.#dynos.get(id);
    this.#dynos.delete(id);
    link.unfollow(id);
    await dyno?.kill();
    return null;
  }

  async #killAll(): Promise<null> {
    await Promise.all([...this.#dynos.values()].map((dyno) => dyno.kill()));
    return null;
  }

  /** Without agent and dynos there is nothing to keep; dynos whose keeper no agent can find any more are nobody's. */
  #armIdleExit(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#link !== null) return;
      if (this.#dynos.size > 0 && this.#isReachable()) this.#armIdleExit();
      else void this.#killAll().then(this.#exit);
    }, IDLE_EXIT_MS);
  }
}
