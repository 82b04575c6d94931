import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DynoRecord } from '../keeper/protocol.ts';
import { KeeperClient } from './keeper-client.ts';

/** How many dynos of a former agent the keeper of this data folder still runs; 0 where there is no keeper. */
export async function countLeftRunning(dir: string): Promise<number> {
  const socket = await tryConnect(join(dir, 'keeper', 'keeper.sock'));
  if (socket === null) return 0;
  let hasEnded = false;
  const client = new KeeperClient(
    socket,
    () => {},
    () => (hasEnded = true),
  );
  try {
    const records = (await client.request({ tag: 'list' })) as readonly DynoRecord[];
    return records.filter(({ exited }) => exited === null).length;
  } catch (error) {
    // A keeper that was about to end: its dynos ended before it.
    if (hasEnded) return 0;
    throw error;
  } finally {
    client.close();
  }
}

async function tryConnect(path: string): Promise<Socket | null> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    // No keeper ever was, or the last one has ended.
    return null;
  }
}
