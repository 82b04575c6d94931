import { atInternalHost } from '../../src/internal-host.ts';

/** An address as the ledger and config vars have it, as this peer connects to it: `kith.internal` is elsewhere at each. */
export type AddressHere = (address: URL) => URL;

/** @param internalHost where this peer's router takes connections to internal ports */
export function addressHere(internalHost: string): AddressHere {
  return (address) => {
    const here = new URL(address);
    here.hostname = atInternalHost(address.hostname, internalHost);
    return here;
  };
}
