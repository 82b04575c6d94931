import type { DynoId, PeerId } from '../../src/ids.ts';
import type { PortReport, RouterLog } from '../../src/shell/router.ts';
import type { RouterMessage } from './control.ts';

const BACKLOG_LINES_MAX = 5_000;

/** What the router tells by itself, for whoever listens. */
export class RouterNews {
  readonly #logHandlers: ((log: RouterLog) => void)[] = [];
  /** Lines that came with the router's greeting, before anybody could ask for them. */
  readonly #backlog: RouterLog[] = [];
  readonly #suspectHandlers: ((dyno: DynoId, peer: PeerId) => void)[] = [];
  readonly #portHandlers: ((report: PortReport) => void)[] = [];
  #ports: PortReport | null = null;

  /** Null until a router has said on which internal ports it listens. */
  get ports(): PortReport | null {
    return this.#ports;
  }

  onLog(handler: (log: RouterLog) => void): void {
    this.#logHandlers.push(handler);
    for (const line of this.#backlog.splice(0)) handler(line);
  }

  onSuspect(handler: (dyno: DynoId, peer: PeerId) => void): void {
    this.#suspectHandlers.push(handler);
  }

  onPorts(handler: (report: PortReport) => void): void {
    this.#portHandlers.push(handler);
    if (this.#ports !== null) handler(this.#ports);
  }

  tell(message: Extract<RouterMessage, { t: 'logs' | 'suspect' | 'ports' }>): void {
    switch (message.t) {
      case 'logs':
        return this.#tellLines(message.lines);
      case 'suspect':
        for (const handler of this.#suspectHandlers) handler(message.dyno, message.peer);
        return;
      case 'ports':
        this.#ports = { listening: message.listening, failed: message.failed };
        for (const handler of this.#portHandlers) handler(this.#ports);
    }
  }

  #tellLines(lines: readonly RouterLog[]): void {
    if (this.#logHandlers.length === 0) {
      this.#backlog.push(...lines);
      this.#backlog.splice(0, Math.max(0, this.#backlog.length - BACKLOG_LINES_MAX));
    }
    for (const line of lines) for (const handler of this.#logHandlers) handler(line);
  }
}
