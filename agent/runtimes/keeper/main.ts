import { rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { Keeper } from './keeper.ts';
import { killUnowned } from './warden.ts';

/**
 * The keeper's process: `node main.ts SOCKET MARKER`. It imports next to nothing, for it lives as long as the dynos do
 * and there is one on every host. `node main.ts --compile` only leaves its modules in Node's cache.
 */
const [, , socketPath, marker] = process.argv;
if (socketPath === '--compile') process.exit(0);
if (socketPath === undefined || marker === undefined) throw new Error('Usage: main.ts SOCKET MARKER');

// It is the parent of every dyno here: a bug in one request must not end them all.
process.on('uncaughtException', (error) => console.error('unexpected', error));
process.on('unhandledRejection', (error) => console.error('unexpected', error));

await killUnowned(marker);

const inode = (): number | undefined => statSync(socketPath, { throwIfNoEntry: false })?.ino;
let ownInode: number | undefined;
const isReachable = (): boolean => ownInode !== undefined && inode() === ownInode;
const keeper = new Keeper(marker, isReachable, () => {
  if (isReachable()) rmSync(socketPath);
  process.exit(0);
});
const server = createServer({ allowHalfOpen: true }, (socket) => void keeper.onConnection(socket));
// A socket file is there when the last keeper was killed; the caller found that nobody answers on it.
rmSync(socketPath, { force: true });
server.on('error', (error) => {
  console.error('cannot listen', error.message);
  process.exit(1);
});
// Never open to others, not even between its making and a chmod. Dynos inherit what is set afterwards.
process.umask(0o177);
server.listen(socketPath, () => {
  ownInode = inode();
});
process.umask(0o022);
