import type { DynoId } from '../../src/ids.ts';
import type { PortView } from '../../src/routing/decide-port.ts';
import type { PortRequest } from '../../src/routing/port-request.ts';
import type { RoutePort, RouteTarget } from '../../src/routing/table.ts';
import { Ejections } from './ejections.ts';
import type { Seat } from './seat.ts';
import { isAmong, type Routes } from './routes.ts';

/** What this router process knows of internal ports: the agent's latest table, and how many connections each dyno has. */
export class PortRoutes {
  readonly #routes: Routes;
  readonly #connections = new Map<DynoId, number>();
  /** Apart from whom the router ejects: a dyno that is not reached through its port may well serve over HTTP. */
  readonly #avoided = new Ejections<DynoId>();
  readonly view: PortView;

  constructor(routes: Routes) {
    this.#routes = routes;
    this.view = {
      connections: ({ dyno }) => this.#connections.get(dyno) ?? 0,
      isEjected: (target) => routes.view.isEjected(target) || this.#avoided.has(target.dyno),
    };
  }

  /** A table of an older agent has no ports. */
  get(number: number): RoutePort | undefined {
    const ports = this.#routes.table?.ports ?? {};
    return Object.hasOwn(ports, number) ? ports[number] : undefined;
  }

  /**
   * A place for one connection. It holds no drain up: connections to a database are kept for days, and it is the dyno
   * that ends them in good order, at its SIGTERM.
   */
  seat({ dyno }: RouteTarget, number: number): Seat {
    this.#connections.set(dyno, (this.#connections.get(dyno) ?? 0) + 1);
    return {
      isCurrent: () => isAmong(this.get(number)?.up, dyno),
      leave: () => {
        const left = (this.#connections.get(dyno) ?? 1) - 1;
        if (left > 0) this.#connections.set(dyno, left);
        else this.#connections.delete(dyno);
      },
    };
  }

  /** Connections to this port go to other dynos for a while. */
  avoid({ number, dyno }: PortRequest, ms: number): void {
    this.#avoided.add(dyno, ms, () => this.#routes.wake(`port ${number}`));
  }

  /** A dyno of this peer that is up behind this open port; null: whoever asks is not served. */
  localTarget({ number, dyno }: PortRequest): RouteTarget | null {
    return isAmong(this.get(number)?.up, dyno) ? this.#routes.localTarget(dyno) : null;
  }
}
