import type { Command } from '../../src/ledger/command.ts';
import { PORT_NUMBER_MIN } from '../../src/ledger/ports/port-types.ts';
import { appId } from './builders.ts';

/** What happens to an app's open process types. */
export const PORT_HAPPENINGS = ['open', 'open-as', 'open-other', 'close', 'close-other'] as const;
export type PortHappening = (typeof PORT_HAPPENINGS)[number];

export function isPort(what: string): what is PortHappening {
  return PORT_HAPPENINGS.some((each) => each === what);
}

/** @param salt picks one of three numbers, so that two sides of a split often give one twice */
export function portCommand(what: PortHappening, n: number, salt: number): Command {
  const wished = PORT_NUMBER_MIN + (salt % 3);
  switch (what) {
    case 'open':
      return openPort('db', null, n);
    case 'open-as':
      return openPort('db', wished, n);
    case 'open-other':
      return openPort('cache', wished, n);
    case 'close':
      return closePort('db', n);
    case 'close-other':
      return closePort('cache', n);
    default:
      throw new Error('Nothing of that sort happens');
  }
}

export function openPort(process: string, number: number | null = null, n = 1): Command {
  return { type: 'port.open', app: appId(n), process, number };
}

export function closePort(process: string, n = 1): Command {
  return { type: 'port.close', app: appId(n), process };
}
