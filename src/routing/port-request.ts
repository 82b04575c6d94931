import type { DynoId } from '../ids.ts';
import type { RequestHead } from './request-head.ts';
import { DYNO_HEADER, valueOf } from './rewrite.ts';

/**
 * Marks a request between two routers that asks for a connection to a dyno's port, not for an answer over HTTP. No client
 * can send it on: routers strip every `kith-` header of a client's request.
 */
const PORT_HEADER = 'kith-port';
const PROTOCOL = 'kith-tcp';

/** What the near router asks for: this dyno, under this internal port. */
export type PortRequest = { readonly number: number; readonly dyno: DynoId };

/** The head, as latin1, with which the near router asks. */
export function writePortRequest({ number, dyno }: PortRequest): string {
  return (
    `GET / HTTP/1.1\r\nHost: kith\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n` +
    `${DYNO_HEADER}: ${dyno}\r\n${PORT_HEADER}: ${number}\r\n\r\n`
  );
}

/** The far router's consent: after it bytes go both ways untouched. */
export const PORT_ACCEPTED = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`;

/** Null: a request over HTTP. */
export function parsePortRequest({ headers, upgrade }: RequestHead): PortRequest | null {
  if (upgrade !== PROTOCOL) return null;
  const number = valueOf(headers, PORT_HEADER);
  if (number === null) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any text may be looked up
  return { number: Number(number), dyno: (valueOf(headers, DYNO_HEADER) ?? '') as DynoId };
}
