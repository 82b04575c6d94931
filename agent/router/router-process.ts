import type { Server } from 'node:net';
import { PlatformError } from '../../src/errors.ts';
import type { PortReport } from '../../src/shell/router.ts';
import type { AgentMessage, ListenOptions } from './control.ts';
import { ClientTls } from './client-tls.ts';
import { ControlServer } from './control-server.ts';
import { Deadlines } from './deadlines.ts';
import { createFarServer } from './far-server.ts';
import { LogBuffer } from './log-buffer.ts';
import { createNearServer } from './near-server.ts';
import { PeerLinks } from './peer-links.ts';
import { PeerTls } from './peer-tls.ts';
import { PortListeners } from './port-listeners.ts';
import { PortRoutes } from './port-routes.ts';
import type { Connection, RouterCore } from './router-core.ts';
import { Routes } from './routes.ts';
import { DEFAULT_SETTINGS, type RouterSettings } from './settings.ts';

/** All of one router process: its listeners, what it knows, and the agent's line to it. */
export class RouterProcess {
  readonly #options: ListenOptions;
  readonly #settings: RouterSettings;
  readonly #routes: Routes;
  readonly #control: ControlServer;
  readonly #logs: LogBuffer;
  readonly #connections = new Set<Connection>();
  readonly #clientTls: ClientTls;
  #hasFailed = false;
  #core: RouterCore | null = null;
  #tls: PeerTls | null = null;
  #servers: readonly Server[] = [];
  #ports: PortListeners | null = null;

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.#clientTls = new ClientTls(() => this.#routes.table);
    this.#routes = new Routes(this.#settings.inFlightPerDynoMax);
    this.#logs = new LogBuffer(this.#settings.logLinesMax, (batch) =>
      this.#control.send({ t: 'logs', ...batch }),
    );
    this.#control = new ControlServer(
      (message) => this.#onMessage(message),
      () => this.#onAgent(),
    );
  }

  /** @param dir the peer's data directory: its key, and the certificate that the agent left */
  async open(dir: string, socketPath: string): Promise<void> {
    const { host, port, httpsPort, proxyHost, proxyPort } = this.#options;
    // First of all, so that the agent hears why when the rest fails.
    await this.#control.listen(socketPath);
    const tls = new PeerTls(dir);
    const { idleMs, firstByteMs } = this.#settings;
    const core: RouterCore = {
      settings: this.#settings,
      routes: this.#routes,
      ports: new PortRoutes(this.#routes),
      links: new PeerLinks(tls, this.#settings),
      handshakes: new Set(),
      deadlines: new Deadlines(Math.min(500, idleMs / 4, firstByteMs / 4)),
      log: (line) => this.#logs.push(line),
      suspect: (dyno, peer) => this.#control.send({ t: 'suspect', dyno, peer }),
      isClosing: false,
    };
    this.#tls = tls;
    this.#core = core;
    const near = createNearServer(core, this.#clientTls, this.#connections);
    const secure = createNearServer(core, this.#clientTls, this.#connections);
    const far = createFarServer(core, tls, this.#connections);
    this.#servers = [near, secure, far];
    this.#ports = new PortListeners(core, this.#connections, (report) => this.#tellPorts(report));
    const httpPort = await listen(near, host, port, 'HTTP requests');
    const https = httpsPort === null ? null : await listen(secure, host, httpsPort, 'HTTPS requests');
    const bound = await listen(far, proxyHost, proxyPort, "other peers' requests");
    const ports = { httpPort, httpsPort: https, proxyPort: bound };
    this.#control.greet({ t: 'hello', pid: process.pid, ...ports });
  }

  /** Tells the agent why it could not open, and ends. */
  async fail(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof PlatformError ? (error.hint ?? '') : '';
    this.#hasFailed = true;
    this.#control.greet({ t: 'failed', message, hint });
    // The agent may not have connected yet; nobody waits longer than it does.
    await new Promise((resolve) => setTimeout(resolve, FAILURE_TOLD_MS));
    process.exit(1);
  }

  /** Takes no new connection, lets requests end for `graceMs`, then ends the process. */
  shutdown(graceMs: number): void {
    if (this.#core !== null) this.#core.isClosing = true;
    for (const server of this.#servers) server.close();
    this.#ports?.close();
    const deadline = performance.now() + graceMs;
    const check = (): void => {
      for (const connection of this.#connections) if (connection.isIdle) connection.destroy();
      if (this.#connections.size > 0 && performance.now() < deadline) return;
      this.#logs.flush();
      this.#control.close();
      setTimeout(() => process.exit(0), EXIT_AFTER_MS);
    };
    setInterval(check, 20);
    check();
  }

  #onAgent(): void {
    if (this.#hasFailed) setTimeout(() => process.exit(1), EXIT_AFTER_MS);
    else {
      this.#logs.flush();
      if (this.#ports !== null) this.#tellPorts(this.#ports.report);
    }
  }

  #tellPorts(report: PortReport): void {
    this.#control.send({ t: 'ports', ...report });
  }

  #onMessage(message: AgentMessage): void {
    switch (message.t) {
      case 'table':
        this.#tls?.setMembers(message.keys);
        this.#routes.setTable(message.table);
        this.#core?.links.keepOnly((peer) => this.#routes.isMember(peer));
        this.#ports?.follow(message.table);
        this.#control.send({ t: 'served', n: message.n });
        return;
      case 'certs':
        this.#clientTls.setCerts(message.table);
        return;
      case 'drain':
        this.#routes.whenDrained(message.dyno, () => this.#control.send({ t: 'drained', n: message.n }));
        return;
      case 'shutdown':
        this.shutdown(message.graceMs);
    }
  }
}

/** How long a router that could not open waits for an agent to tell why. */
const FAILURE_TOLD_MS = 3_000;
/** For the last words to leave. */
const EXIT_AFTER_MS = 50;

function listen(server: Server, host: string, port: number, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const found = error.code === 'EADDRINUSE' ? 'another program uses this port' : error.message;
      reject(
        new PlatformError('conflict', `Cannot listen for ${what} on "${host}:${port}": ${found}`, {
          hint: 'Choose another port, or stop the program that uses this one',
          cause: error,
        }),
      );
    });
    server.listen({ host, port, backlog: 1024 }, () => {
      const address = server.address();
      resolve(address === null || typeof address === 'string' ? port : address.port);
    });
  });
}
