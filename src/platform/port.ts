import { PlatformError } from '../errors.ts';
import { INTERNAL_HOST } from '../internal-host.ts';
import type { App } from '../ledger/apps/app-types.ts';
import type { Port } from '../ledger/ports/port-types.ts';
import type { PeerStatus } from '../shell/host.ts';
import { appRef } from './app.ts';
import type { AppRef } from './app.ts';
import { isoTime } from './time.ts';

/** A process type that every dyno of the cluster reaches over TCP. */
export type PortResource = {
  readonly app: AppRef;
  readonly type: string;
  readonly number: number;
  /** As it belongs into config vars: the same at every peer. */
  readonly address: string;
  /** Its dynos: those that listen just now, and how many are wanted. */
  readonly dynos: { readonly up: number; readonly wanted: number };
  readonly created_at: string;
};

export function portResource(app: App, port: Port, peers: readonly PeerStatus[]): PortResource {
  const { type, number, openedAt } = port;
  return {
    app: appRef(app),
    type,
    number,
    address: `${INTERNAL_HOST}:${number}`,
    dynos: { up: listening(app, port, peers), wanted: app.formation.get(type)?.quantity ?? 0 },
    created_at: isoTime(openedAt),
  };
}

/** By process type. */
export function portsOf(app: App): readonly Port[] {
  return [...app.ports.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
}

export function mustFindPort(app: App, type: string): Port {
  const found = portsOf(app).find((port) => port.type === type);
  if (found !== undefined) return found;
  throw new PlatformError('not_found', `Process type "${type}" of "${app.name}" is not open.`, {
    resource: 'port',
    hint: 'See `kith ports` for those that are',
  });
}

/** One from before its type was opened is up, but was given no port. */
function listening(app: App, { type }: Port, peers: readonly PeerStatus[]): number {
  return peers
    .filter(({ verdict }) => verdict !== 'down' && verdict !== 'gone')
    .flatMap(({ facts }) => facts?.dynos ?? [])
    .filter((dyno) => dyno.app === app.id && dyno.type === type && dyno.phase === 'up' && dyno.port !== null)
    .length;
}
