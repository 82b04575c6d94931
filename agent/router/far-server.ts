import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { PeerId } from '../../src/ids.ts';
import { parsePortRequest } from '../../src/routing/port-request.ts';
import type { RequestHead } from '../../src/routing/request-head.ts';
import { Exchange } from './exchange.ts';
import { FarPlan } from './far-plan.ts';
import { serveFarPort } from './far-port.ts';
import { Inbound, type InboundOwner, type Responder } from './inbound.ts';
import type { PeerTls } from './peer-tls.ts';
import { badRequestReply } from './reply.ts';
import type { Connection, RouterCore } from './router-core.ts';

/** Serves other peers' routers: members only, and not a byte before the handshake has proved which one it is. */
export function createFarServer(core: RouterCore, tls: PeerTls, connections: Set<Connection>): Server {
  const context = {
    settings: { ...core.settings, keepAliveMs: FAR_KEEP_ALIVE_MS, headMs: FAR_KEEP_ALIVE_MS },
    deadlines: core.deadlines,
  };
  const server = createServer(tls.serverOptions(), (socket: TLSSocket) => {
    const peer = tls.peerOf(socket);
    if (peer === null) {
      socket.destroy();
      return;
    }
    connections.add(new Inbound(socket, farOwner(core, peer, connections), context));
  });
  // A handshake that failed has closed its connection; a stranger's noise is not worth a line each.
  server.on('tlsClientError', () => {});
  return server;
}

/** The near router closes what it does not use; if we did, it might just be sending a request. */
const FAR_KEEP_ALIVE_MS = 600_000;

function farOwner(core: RouterCore, peer: PeerId, connections: Set<Connection>): InboundOwner {
  return {
    onRequest(inbound: Inbound, head: RequestHead): Responder | null {
      // It may have been removed since the handshake.
      if (!core.routes.isMember(peer)) {
        inbound.destroy();
        return null;
      }
      const port = parsePortRequest(head);
      if (port !== null) return serveFarPort(core, inbound, peer, port);
      return new Exchange(core, inbound, head, new FarPlan(core, head));
    },
    refuse: (rejection) => badRequestReply(rejection.status),
    onClose: (inbound) => connections.delete(inbound),
  };
}
