import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { answerChallenge } from '../../src/routing/answer-challenge.ts';
import type { Rejection } from '../../src/routing/http-syntax.ts';
import { matchHost } from '../../src/routing/match-host.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import type { RouteTable } from '../../src/routing/table.ts';
import { Exchange } from './exchange.ts';
import { Inbound, type InboundOwner, type Responder } from './inbound.ts';
import type { ClientTls } from './client-tls.ts';
import { NearPlan, type ClientInfo } from './near-plan.ts';
import { Opening } from './opening.ts';
import { badRequestReply, challengeReply, codeReply, noSuchAppReply } from './reply.ts';
import { keepsAlive } from './response-relay.ts';
import type { Connection, RouterCore } from './router-core.ts';

/** Answers clients over HTTP, within TLS or without. */
export function createNearServer(core: RouterCore, tls: ClientTls, connections: Set<Connection>): Server {
  const serve = (socket: Socket): void => {
    connections.add(new Inbound(socket, new NearOwner(core, clientInfo(socket), connections), core));
    socket.resume();
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const opening = new Opening(socket, core, tls, (opened) => {
      connections.delete(opening);
      if (opened !== null) serve(opened);
    });
    connections.add(opening);
  });
  server.maxConnections = core.settings.clientConnectionsMax;
  return server;
}

class NearOwner implements InboundOwner {
  readonly #core: RouterCore;
  readonly #client: ClientInfo;
  readonly #connections: Set<Connection>;

  constructor(core: RouterCore, client: ClientInfo, connections: Set<Connection>) {
    this.#core = core;
    this.#client = client;
    this.#connections = connections;
  }

  onRequest(inbound: Inbound, head: RequestHead): Responder | null {
    const { table } = this.#core.routes;
    const authorization = table === null ? null : answerChallenge(table, head, Date.now());
    const app = table === null || authorization !== null ? null : matchHost(table, head.host);
    if (app !== null) {
      const plan = new NearPlan(this.#core, this.#client, head, app);
      return new Exchange(this.#core, inbound, head, plan);
    }
    const isAlive = keepsAlive(head) && head.body === 0 && !this.#core.isClosing;
    inbound.write(replyHere(table, authorization, head.method, isAlive));
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

/** What the router itself says, where no app is asked. */
function replyHere(
  table: RouteTable | null,
  authorization: string | null,
  method: string,
  isAlive: boolean,
): string {
  if (authorization !== null) return challengeReply(authorization, method, isAlive);
  // Without a table nobody knows what is here: that is our fault, not a wrong name.
  return table === null ? codeReply('H99', method, isAlive) : noSuchAppReply(method, isAlive);
}

function clientInfo(socket: Socket): ClientInfo {
  const address = socket.remoteAddress ?? '';
  return {
    // A dual-stack listener sees IPv4 clients as mapped addresses.
    address: address.startsWith('::ffff:') ? address.slice(7) : address,
    port: socket.localPort ?? 0,
    ...(socket instanceof TLSSocket
      ? { protocol: 'https', tlsVersion: socket.getProtocol() }
      : { protocol: 'http', tlsVersion: null }),
  };
}
