import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { DynoId } from '../../../src/ids.ts';
import type { RoutePort, RouteTable, RouteTarget } from '../../../src/routing/table.ts';
import type { PortReport } from '../../../src/shell/router.ts';
import { eventually } from '../../helpers/eventually.ts';
import type { TestDyno } from './dynos.ts';
import { APP, routeApp, startRouter, tableOf, target, type TestRouter } from './test-router.ts';

export const NUMBER = 61_234;
/** Of this router's peer, or of another one. */
export const WHERE = ['local', 'far'] as const;

/** A loopback address that is nobody else's, as each peer has one. */
export function ownHost(): string {
  return `127.${randomInt(64, 128)}.${randomInt(256)}.${randomInt(1, 255)}`;
}

export function routePort(up: readonly RouteTarget[], fields: Partial<RoutePort> = {}): RoutePort {
  return { app: APP, type: 'server', wanted: 1, starting: false, up, ...fields };
}

/** A table in which `port` is open, and nothing is served over HTTP. */
export function portTable(host: string, port: RoutePort, fields: Partial<RouteTable> = {}): RouteTable {
  const local = port.up.filter((each) => each.local);
  return tableOf(routeApp([]), {
    internalHost: host,
    ports: { [NUMBER]: port },
    localDynos: Object.fromEntries(local.map((each) => [each.dyno, { host: each.host, port: each.port }])),
    ...fields,
  });
}

/** A dyno of `far`, as other peers know it. */
export function farTarget(far: TestRouter, dyno: TestDyno, fields: Partial<RouteTarget> = {}): RouteTarget {
  const port = far.handle.proxyPort;
  return target({ dyno: `dyno-${dyno.port}` as DynoId, peer: far.peer, local: false, port, ...fields });
}

/** Opens a port for a dyno of the router's own peer, or of another one. Returns where it listens. */
export async function openPort(
  parts: AsyncDisposableStack,
  where: (typeof WHERE)[number],
  dyno: TestDyno,
): Promise<string> {
  const near = parts.use(await startRouter());
  if (where === 'far') return await linkPort(near, parts.use(await startRouter()), dyno);
  const host = ownHost();
  await listenAt(near, portTable(host, routePort([target({ port: dyno.port })])));
  return host;
}

/** `far` runs the dyno behind the port; `near` listens for it. Returns where. */
export async function linkPort(near: TestRouter, far: TestRouter, dyno: TestDyno): Promise<string> {
  const members = [near.peer, far.peer];
  const host = ownHost();
  const here = routePort([target({ port: dyno.port })]);
  await far.handle.setTable(portTable(ownHost(), here, { self: far.peer, members }));
  await listenAt(near, portTable(host, routePort([farTarget(far, dyno)]), { self: near.peer, members }));
  return host;
}

/** Sends the table, and waits until the router listens on its ports. */
export async function listenAt(router: TestRouter, table: RouteTable): Promise<void> {
  let report: PortReport = { listening: [], failed: [] };
  router.handle.onPorts((latest) => (report = latest));
  await router.handle.setTable(table);
  const numbers = Object.keys(table.ports ?? {});
  await eventually(() => numbers.every((number) => report.listening.includes(Number(number))));
}

/** @throws when nobody listens */
export async function dial(host: string, number = NUMBER): Promise<Socket> {
  const socket = connect({ host, port: number, allowHalfOpen: true });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  socket.once('connect', () => resolve(socket));
  // A router that has no place for it breaks off so soon that it may look as if it had not been accepted.
  socket.on('error', (error: NodeJS.ErrnoException) =>
    error.code === 'ECONNREFUSED' ? reject(error) : resolve(socket),
  );
  return await promise;
}

/** Says it and no more, and hears all that is answered. */
export async function ask(host: string, text: string, number = NUMBER): Promise<string> {
  const socket = await dial(host, number);
  socket.end(text);
  return (await buffer(socket)).toString();
}

/** How a connection came to its end. */
export async function endOf(socket: Socket): Promise<'ended' | 'broken'> {
  let isBroken = false;
  socket.on('error', () => (isBroken = true));
  socket.on('end', () => socket.end());
  socket.resume();
  if (!socket.destroyed) await once(socket, 'close').catch(() => (isBroken = true));
  return isBroken || !socket.readableEnded ? 'broken' : 'ended';
}
