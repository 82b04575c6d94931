import type { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { PlatformError } from '../../src/errors.ts';
import type { DynoId, PeerId } from '../../src/ids.ts';
import { publicKeyOf } from '../../src/ledger/signing.ts';
import type { CertTable } from '../../src/routing/choose-certificate.ts';
import type { RouteTable } from '../../src/routing/table.ts';
import type { PortReport, RouterHandle, RouterLog } from '../../src/shell/router.ts';
import { sendJson } from '../lib/json-lines.ts';
import { pause } from '../lib/pause.ts';
import { ensureSideProcess } from '../lib/side-process.ts';
import { Tasks } from '../lib/tasks.ts';
import type { AgentMessage, ListenOptions, RouterMessage } from './control.ts';
import type { OpenRouterOptions } from './open-options.ts';
import { routerGreeting } from './router-greeting.ts';
import { RouterNews } from './router-news.ts';

const ROUTER_MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const RECONNECT_MS = { first: 50, max: 2_000 } as const;
/** After the grace, for the process to end. */
const EXIT_MARGIN_MS = 2_000;

type Waiter = { readonly resolve: () => void; readonly reject: (error: unknown) => void };

/** The agent's end of the control socket: finds or starts the process, and does so again whenever it is lost. */
export class RouterClient implements RouterHandle {
  httpPort: number;
  httpsPort: number | null;
  proxyPort: number;
  readonly #options: OpenRouterOptions;
  readonly #log: Logger;
  readonly #tasks: Tasks;
  readonly #closed = new AbortController();
  readonly #news = new RouterNews();
  #isOldRouterTold = false;
  /** Null while the process is away. */
  #socket: Socket | null = null;
  #pid: number | null = null;
  #count = 0;
  /** The latest table, by the number it is sent under; older ones need not be served any more. */
  #table: { readonly n: number; readonly table: RouteTable } | null = null;
  #certs: CertTable | null = null;
  #isTableUnderway = false;
  readonly #tableWaiters = new Map<number, Waiter>();
  readonly #drains = new Map<number, Waiter & { readonly dyno: DynoId }>();

  constructor(options: OpenRouterOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#tasks = new Tasks(options.log);
    this.httpPort = options.port;
    this.httpsPort = options.httpsPort;
    this.proxyPort = options.proxyPort;
  }

  /** Connects, adopting or starting the process. Throws `conflict` when a port is taken. */
  async open(): Promise<void> {
    const { dir, host, proxyHost, settings } = this.#options;
    const listen: ListenOptions = {
      host,
      port: this.httpPort,
      httpsPort: this.httpsPort,
      proxyHost,
      proxyPort: this.proxyPort,
      ...(settings === undefined ? {} : { settings }),
    };
    const { socket, spawned } = await ensureSideProcess(
      ROUTER_MAIN,
      [dir, JSON.stringify(listen)],
      join(dir, 'router', 'router.sock'),
      join(dir, 'router.log'),
    );
    const hello = await routerGreeting(socket, {
      log: this.#log,
      onMessage: (message) => this.#onMessage(message),
      onLost: () => this.#onLost(socket),
    });
    this.httpPort = hello.httpPort;
    // A router of an older version names none.
    this.httpsPort = hello.httpsPort ?? null;
    this.proxyPort = hello.proxyPort;
    this.#pid = hello.pid;
    this.#log.info({ pid: hello.pid, spawned, port: hello.httpPort }, 'router ready');
    if (this.#closed.signal.aborted) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#resend();
  }

  setTable(table: RouteTable): Promise<void> {
    const n = (this.#count += 1);
    this.#table = { n, table };
    const served = new Promise<void>((resolve, reject) => {
      if (this.#closed.signal.aborted) reject(closedError());
      else this.#tableWaiters.set(n, { resolve, reject });
    });
    if (!this.#isTableUnderway) this.#sendTable();
    return served;
  }

  setCerts(certs: CertTable): void {
    this.#certs = certs;
    this.#send({ t: 'certs', table: certs });
  }

  onLog(handler: (log: RouterLog) => void): void {
    this.#news.onLog(handler);
  }

  onSuspect(handler: (dyno: DynoId, peer: PeerId) => void): void {
    this.#news.onSuspect(handler);
  }

  onPorts(handler: (report: PortReport) => void): void {
    this.#news.onPorts(handler);
  }

  async drained(dyno: DynoId, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const n = (this.#count += 1);
    const stop = new AbortController();
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#closed.signal.aborted) return reject(closedError());
        signal.addEventListener('abort', () => reject(signal.reason), { signal: stop.signal });
        this.#drains.set(n, { dyno, resolve, reject });
        this.#send({ t: 'drain', n, dyno });
      });
    } finally {
      stop.abort();
      this.#drains.delete(n);
    }
  }

  async shutdown(graceMs: number): Promise<void> {
    const socket = this.#socket;
    const pid = this.#pid;
    this.#close();
    if (socket === null || pid === null) return;
    sendJson(socket, { t: 'shutdown', graceMs } satisfies AgentMessage);
    const deadline = performance.now() + graceMs + EXIT_MARGIN_MS;
    while (isAlive(pid) && performance.now() < deadline) await sleep(20);
    socket.destroy();
    if (!isAlive(pid)) return;
    this.#log.warn({ pid }, 'router did not end in time');
    process.kill(pid, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    this.#socket?.destroy();
    this.#socket = null;
    await this.#tasks.settled();
  }

  #onMessage(message: Exclude<RouterMessage, { t: 'hello' | 'failed' }>): void {
    switch (message.t) {
      case 'served':
        return this.#onServed(message.n);
      case 'drained':
        return this.#drains.get(message.n)?.resolve();
      case 'logs':
        if (message.dropped > 0) this.#log.warn({ dropped: message.dropped }, 'router log lines dropped');
        return this.#news.tell(message);
      default:
        return this.#news.tell(message);
    }
  }

  #onServed(served: number): void {
    this.#isTableUnderway = false;
    for (const [n, waiter] of this.#tableWaiters) {
      if (n > served) continue;
      this.#tableWaiters.delete(n);
      waiter.resolve();
    }
    if (this.#table !== null && this.#table.n > served) this.#sendTable();
    this.#warnOfOldRouter();
  }

  /** A router says on which ports it listens before it serves a table; those of former versions say nothing. */
  #warnOfOldRouter(): void {
    const hasPorts = Object.keys(this.#table?.table.ports ?? {}).length > 0;
    if (!hasPorts || this.#news.ports !== null || this.#isOldRouterTold) return;
    this.#isOldRouterTold = true;
    this.#log.warn(
      { pid: this.#pid },
      'router of a former version: internal ports need it to be started again',
    );
  }

  #sendTable(): void {
    if (this.#table === null || this.#socket === null) return;
    const { n, table } = this.#table;
    this.#isTableUnderway = true;
    this.#send({ t: 'table', n, table, keys: this.#keysOf(table.members) });
  }

  #keysOf(members: readonly PeerId[]): Record<string, PeerId> {
    const keys: Record<string, PeerId> = {};
    for (const peer of members) {
      try {
        keys[Buffer.from(publicKeyOf(peer)).toString('hex')] = peer;
      } catch (err) {
        this.#log.error({ peer, err }, 'member without a key left out of routing');
      }
    }
    return keys;
  }

  /** What a process that has just been found or started must know. */
  #resend(): void {
    if (this.#certs !== null) this.#send({ t: 'certs', table: this.#certs });
    this.#sendTable();
    for (const [n, { dyno }] of this.#drains) this.#send({ t: 'drain', n, dyno });
  }

  #send(message: AgentMessage): void {
    if (this.#socket !== null) sendJson(this.#socket, message);
  }

  #onLost(socket: Socket): void {
    if (this.#socket !== socket || this.#closed.signal.aborted) return;
    this.#socket = null;
    this.#isTableUnderway = false;
    this.#log.warn({ pid: this.#pid }, 'router lost');
    this.#tasks.run('reconnect router', () => this.#reconnect());
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closed;
    for (
      let delayMs: number = RECONNECT_MS.first;
      !signal.aborted;
      delayMs = Math.min(delayMs * 2, RECONNECT_MS.max)
    ) {
      try {
        await this.open();
        return;
      } catch (err) {
        this.#log.error({ err }, 'router could not be started again');
      }
      await pause(delayMs * (0.5 + Math.random()), signal);
    }
  }

  #close(): void {
    this.#closed.abort();
    for (const waiter of [...this.#tableWaiters.values(), ...this.#drains.values()])
      waiter.reject(closedError());
    this.#tableWaiters.clear();
    this.#drains.clear();
  }
}

function closedError(): PlatformError {
  return new PlatformError('unavailable', 'Cannot reach the router: this agent is closing');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process.
  }
}
