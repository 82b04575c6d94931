import { tls } from '@libp2p/tls';

type Tls = ReturnType<typeof tls>;
type Sender = { sendData(data: Iterable<Uint8Array> & { subarray(): Uint8Array }): unknown };

/**
 * TLS with one record, and one write to the socket, a message. libp2p's own makes one of each piece, and yamux sends a
 * frame's header as a piece of its own: 22 bytes and a system call more for each of the small messages that idle peers
 * exchange.
 */
export function oneRecordTls(): Tls {
  return (components) => {
    const encrypter = tls()(components);
    const secureInbound = encrypter.secureInbound.bind(encrypter);
    const secureOutbound = encrypter.secureOutbound.bind(encrypter);
    encrypter.secureInbound = async (...args) => inOnePiece(await secureInbound(...args));
    encrypter.secureOutbound = async (...args) => inOnePiece(await secureOutbound(...args));
    return encrypter;
  };
}

/** libp2p's stream takes whatever is iterable in pieces: here it is given a single one. */
function inOnePiece<T extends { readonly connection: object }>(secured: T): T {
  const sender = secured.connection as { sendData(data: Iterable<Uint8Array>): unknown };
  const sendData = sender.sendData.bind(sender);
  const whole: Sender['sendData'] = (data) => sendData([data.subarray()]);
  Object.assign(sender, { sendData: whole });
  return secured;
}
