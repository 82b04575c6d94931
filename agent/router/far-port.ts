import type { Socket } from 'node:net';
import type { PeerId } from '../../src/ids.ts';
import { PORT_ACCEPTED, type PortRequest } from '../../src/routing/port-request.ts';
import type { RouteTarget } from '../../src/routing/table.ts';
import type { Seat } from './seat.ts';
import { connectDyno } from './dyno-connect.ts';
import type { Failure } from './failures.ts';
import type { Inbound, Responder } from './inbound.ts';
import { PROBE_AFTER_MS } from './port-connection.ts';
import { farReply } from './reply.ts';
import type { RouterCore } from './router-core.ts';
import { splice } from './splice.ts';

/**
 * Serves another peer's router that asks for a connection to an internal port. Only a dyno that is up here behind that
 * very port is connected to, whoever asks.
 * @returns null when it has been answered
 */
export function serveFarPort(
  core: RouterCore,
  inbound: Inbound,
  peer: PeerId,
  request: PortRequest,
): Responder | null {
  const target = core.ports.localTarget(request);
  if (target !== null)
    return new FarPort(core, inbound, peer, target, core.ports.seat(target, request.number));
  inbound.write(farReply('no-such-dyno', true));
  inbound.endResponse(true);
  return null;
}

/** Connects to the dyno, then joins it with the other router's connection, for as long as its peer is a member. */
class FarPort implements Responder {
  readonly #core: RouterCore;
  readonly #inbound: Inbound;
  readonly #peer: PeerId;
  readonly #seat: Seat;
  readonly #stopConnecting: () => void;

  constructor(core: RouterCore, inbound: Inbound, peer: PeerId, target: RouteTarget, seat: Seat) {
    this.#core = core;
    this.#inbound = inbound;
    this.#peer = peer;
    this.#seat = seat;
    this.#stopConnecting = connectDyno(target, core.settings.connectMs, (result) =>
      typeof result === 'string' ? this.#refuse(result) : this.#join(result),
    );
  }

  onBody(): void {
    // The request has none.
  }

  onBodyEnd(): void {}

  onBadBody(): void {
    this.#inbound.destroy();
    this.onGone();
  }

  onClientDrain(): void {}

  onGone(): void {
    this.#stopConnecting();
    this.#seat.leave();
  }

  #refuse(failure: Failure): void {
    this.#seat.leave();
    this.#inbound.write(farReply(failure, true));
    this.#inbound.endResponse(true);
  }

  #join(dyno: Socket): void {
    this.#inbound.write(PORT_ACCEPTED);
    const { socket, rest } = this.#inbound.detach();
    if (rest !== null) dyno.write(rest);
    for (const end of [socket, dyno]) end.setKeepAlive(true, PROBE_AFTER_MS);
    const { routes } = this.#core;
    // Such a connection may last for days: who is removed meanwhile loses it.
    const stopWatching = routes.watch(() => {
      if (!routes.isMember(this.#peer)) socket.destroy();
    });
    splice(socket, dyno, {
      onEnd: () => {
        stopWatching();
        this.#seat.leave();
      },
    });
  }
}
