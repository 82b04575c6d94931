import { createServer, type Server, type Socket } from 'node:net';
import type { Rejection } from '../../src/routing/http-syntax.ts';
import { matchHost } from '../../src/routing/match-host.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import { Exchange } from './exchange.ts';
import { Inbound, type InboundOwner, type Responder } from './inbound.ts';
import { NearPlan, type ClientInfo } from './near-plan.ts';
import { badRequestReply, codeReply, noSuchAppReply } from './reply.ts';
import { keepsAlive } from './response-relay.ts';
import type { RouterCore } from './router-core.ts';

/** Answers clients over HTTP. */
export function createNearServer(core: RouterCore, connections: Set<Inbound>): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const inbound = new Inbound(socket, new NearOwner(core, clientInfo(socket), connections), core);
    connections.add(inbound);
  });
  server.maxConnections = core.settings.clientConnectionsMax;
  return server;
}

class NearOwner implements InboundOwner {
  readonly #core: RouterCore;
  readonly #client: ClientInfo;
  readonly #connections: Set<Inbound>;

  constructor(core: RouterCore, client: ClientInfo, connections: Set<Inbound>) {
    this.#core = core;
    this.#client = client;
    this.#connections = connections;
  }

  onRequest(inbound: Inbound, head: RequestHead): Responder | null {
    const { table } = this.#core.routes;
    const app = table === null ? null : matchHost(table, head.host);
    if (app !== null) {
      const plan = new NearPlan(this.#core, this.#client, head, app);
      return new Exchange(this.#core, inbound, head, plan);
    }
    const isAlive = keepsAlive(head) && head.body === 0 && !this.#core.isClosing;
    // Without a table nobody knows what is here: that is our fault, not a wrong name.
    inbound.write(
      table === null ? codeReply('H99', head.method, isAlive) : noSuchAppReply(head.method, isAlive),
    );
    inbound.endResponse(isAlive);
    return null;
  }

  refuse(rejection: Rejection): string {
    return badRequestReply(rejection.status);
  }

  onClose(inbound: Inbound): void {
    this.#connections.delete(inbound);
  }
}

function clientInfo(socket: Socket): ClientInfo {
  const address = socket.remoteAddress ?? '';
  return {
    // A dual-stack listener sees IPv4 clients as mapped addresses.
    address: address.startsWith('::ffff:') ? address.slice(7) : address,
    port: socket.localPort ?? 0,
    protocol: 'http',
  };
}
