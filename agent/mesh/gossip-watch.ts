import type { Logger } from 'pino';
import type { Tasks } from '../lib/tasks.ts';
import type { Gossip } from './gossip.ts';
import type { Host } from './host.ts';
import type { Link, Links } from './links.ts';

/**
 * Checks without a gossip stream before a link is given up: a minute, for gossip only helps where there is no link, and in a
 * cluster that starts all at once streams come late.
 */
const CHECKS_MAX = 12;
/** Identifying once more is tried at every so many of these checks. */
const CHECKS_PER_TRY = 4;

/**
 * Keeps gossip alive on every link. gossipsub opens its stream when a connection is identified, and never replaces one
 * that broke (by a full buffer, say) while the connection lives. So links alone are identified, again where the stream
 * is missing; should that not help, the link is closed, to be dialled anew.
 */
export class GossipWatch {
  readonly #host: Host;
  readonly #gossip: Gossip;
  readonly #links: Links;
  readonly #tasks: Tasks;
  readonly #log: Logger;
  /** Checks in a row at which a link had no gossip stream. */
  readonly #missed = new WeakMap<Link, number>();

  constructor(host: Host, gossip: Gossip, links: Links, tasks: Tasks, log: Logger) {
    this.#host = host;
    this.#gossip = gossip;
    this.#links = links;
    this.#tasks = tasks;
    this.#log = log;
  }

  /** Tells each side the other's addresses and protocols; libp2p's event about it starts gossipsub. */
  identify({ peer, connection }: Link): void {
    this.#tasks.run('identify', async () => {
      try {
        await this.#host.services.identify.identify(connection);
      } catch (err) {
        this.#log.debug({ peer, err }, 'identify failed');
      }
    });
  }

  /** To be called every few seconds. */
  check(): void {
    for (const link of this.#links.all()) {
      const missed = this.#gossip.hasStream(link.connection) ? 0 : (this.#missed.get(link) ?? 0) + 1;
      this.#missed.set(link, missed);
      if (missed >= CHECKS_MAX) {
        this.#log.warn({ peer: link.peer }, 'no gossip stream, reconnecting');
        this.#links.drop(link.peer, 'The link has no gossip stream');
      } else if (missed % CHECKS_PER_TRY === CHECKS_PER_TRY - 1) {
        this.#log.debug({ peer: link.peer, missed }, 'no gossip stream');
        this.identify(link);
      }
    }
  }
}
