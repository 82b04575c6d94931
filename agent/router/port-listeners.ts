import type { Socket } from 'node:net';
import type { RouteTable } from '../../src/routing/table.ts';
import type { PortReport } from '../../src/shell/router.ts';
import { PortComplaints } from './port-complaints.ts';
import { PortConnection } from './port-connection.ts';
import { PortListener } from './port-listener.ts';
import type { Connection, RouterCore } from './router-core.ts';
import { cut } from './splice.ts';

/** One listener for each internal port, where this peer's dynos can reach it: opened and closed as tables come. */
export class PortListeners {
  readonly #core: RouterCore;
  readonly #connections: Set<Connection>;
  readonly #onReport: (report: PortReport) => void;
  readonly #listeners = new Map<number, PortListener>();
  /** Of all ports. */
  #count = 0;
  #host: string | null = null;
  #isClosed = false;

  /** @param onReport hears of each change */
  constructor(core: RouterCore, connections: Set<Connection>, onReport: (report: PortReport) => void) {
    this.#core = core;
    this.#connections = connections;
    this.#onReport = onReport;
  }

  get report(): PortReport {
    const all = [...this.#listeners];
    return {
      listening: all.flatMap(([number, { isListening }]) => (isListening ? [number] : [])),
      failed: all.flatMap(([number, { failure }]) => (failure === null ? [] : [{ number, reason: failure }])),
    };
  }

  /** A table of an older agent has neither host nor ports. */
  follow({ internalHost = null, ports = {} }: Partial<RouteTable>): void {
    if (this.#isClosed) return;
    const numbers = new Set(internalHost === null ? [] : Object.keys(ports).map(Number));
    const isElsewhere = internalHost !== this.#host;
    this.#host = internalHost;
    const leaving = this.#listeners
      .keys()
      .filter((number) => isElsewhere || !numbers.has(number))
      .toArray();
    this.#drop(leaving);
    for (const number of numbers) if (internalHost !== null) this.#open(internalHost, number);
  }

  /** Takes no more connections; those that are there go on. */
  close(): void {
    this.#isClosed = true;
    this.#drop(this.#listeners.keys().toArray());
  }

  #open(host: string, number: number): void {
    if (this.#listeners.has(number)) return;
    const { connectionsPerPortMax, portRetryMs } = this.#core.settings;
    const complaints = new PortComplaints(this.#core, number);
    const listener = new PortListener({
      host,
      number,
      connectionsMax: connectionsPerPortMax,
      retryMs: portRetryMs,
      onConnection: (socket) => this.#accept(number, socket, complaints),
      onDrop: () => complaints.add(TOO_MANY),
      onChange: () => this.#onReport(this.report),
    });
    this.#listeners.set(number, listener);
  }

  #drop(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#listeners.get(number)?.close();
      this.#listeners.delete(number);
    }
    if (numbers.length > 0) this.#onReport(this.report);
  }

  #accept(number: number, socket: Socket, complaints: PortComplaints): void {
    if (this.#count >= this.#core.settings.portConnectionsMax) {
      complaints.add(TOO_MANY);
      socket.on('error', () => {});
      return cut(socket);
    }
    this.#count += 1;
    const connection = new PortConnection(this.#core, number, socket, {
      onFailure: (desc) => complaints.add(desc),
      onClose: () => {
        this.#count -= 1;
        this.#connections.delete(connection);
      },
    });
    this.#connections.add(connection);
    connection.next();
  }
}

const TOO_MANY = 'Too many connections';
