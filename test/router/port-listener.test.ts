import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { PortListener } from '../../agent/router/port-listener.ts';
import { eventually } from '../helpers/eventually.ts';
import { NUMBER, ownHost } from './helpers/ports.ts';

/** An address for examples, which is no machine's. */
const NOWHERE = '203.0.113.1';

test('why a number cannot be listened on is told anew when the reason is another one, and that it can at last', async () => {
  const host = ownHost();
  const other = createServer().listen(NUMBER, host);
  await once(other, 'listening');
  const told: (string | null)[] = [];
  const where = { host: NOWHERE };
  const listener: PortListener = new PortListener({
    get host() {
      return where.host;
    },
    number: NUMBER,
    connectionsMax: 1,
    retryMs: 5,
    onConnection: (socket) => socket.destroy(),
    onDrop: () => {},
    onChange: () => told.push(listener.failure),
  });
  await eventually(() => told.length === 1);
  expect(told[0]).toContain('EADDRNOTAVAIL');
  where.host = host;
  await eventually(() => told.length === 2);
  expect(told[1]).toBe('another program uses this port');
  other.close();
  await eventually(() => listener.isListening);
  expect(told.slice(2)).toEqual([null]);
  listener.close();
});
