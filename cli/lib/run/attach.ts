import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import {
  decodeFrames,
  encodeFrame,
  FRAME,
  parseExit,
  parseRecord,
  type Frame,
} from '../../../src/platform/attach-frames.ts';
import { CliError } from '../line/cli-error.ts';
import type { World } from '../line/world.ts';

const CHUNK_BYTES = 64 * 1024;
const CTRL_C = 3;
/** A peer that is gone without a word is noticed: a shell may be silent for an hour. */
const KEEP_ALIVE_MS = 30_000;
/** So many Ctrl-C within a second leave, even if the dyno does not answer any more. */
const CTRL_C_MAX = 4;

/**
 * Joins this terminal (or pipe) with a dyno until its process ends.
 * @param head what came with the upgrade
 * @returns the exit status of the process; 128 and the signal's number where one ended it
 */
export async function attachTo(socket: Duplex, head: Buffer, world: World, hasTty: boolean): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const onFrame = ({ type, payload }: Frame): void => {
    if (type === FRAME.data) show(socket, world, payload);
    if (type === FRAME.exit) resolve(statusOf(parseExit(payload)));
    if (type === FRAME.error) reject(errorOf(payload));
  };
  socket.on('error', (error) => reject(lost(error)));
  socket.on('close', () => reject(lost(null)));
  decodeFrames(socket, onFrame);
  if (head.length > 0) socket.unshift(head);
  if (socket instanceof Socket) socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const detach = feed(socket, world, hasTty, reject);
  try {
    return await promise;
  } finally {
    detach();
    socket.destroy();
  }
}

/** Output of the dyno; a slow reader slows the dyno down. */
function show(socket: Duplex, { stdout }: World, payload: Buffer): void {
  if (stdout.write(payload)) return;
  socket.pause();
  stdout.once('drain', () => socket.resume());
}

/** Sends what is typed or piped, and the size of the terminal. @returns what undoes it */
function feed(
  socket: Duplex,
  { stdin, stdout }: World,
  hasTty: boolean,
  leave: (error: CliError) => void,
): () => void {
  const interrupts: number[] = [];
  const onData = (data: Buffer): void => {
    if (hasTty && data.includes(CTRL_C) && isImpatient(interrupts))
      leave(new CliError('Detached', { exit: 130 }));
    for (let at = 0; at < data.length; at += CHUNK_BYTES) {
      const chunk = data.subarray(at, at + CHUNK_BYTES);
      if (!socket.write(encodeFrame(FRAME.data, chunk))) stdin.pause();
    }
  };
  const onEnd = (): void => void socket.write(encodeFrame(FRAME.eof));
  const onDrain = (): void => void stdin.resume();
  const onResize = (): void => {
    const { columns = 80, rows = 24 } = stdout;
    socket.write(encodeFrame(FRAME.resize, { columns, rows }));
  };
  if (hasTty) {
    stdin.setRawMode?.(true);
    stdout.on('resize', onResize);
  }
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  socket.on('drain', onDrain);
  return () => {
    stdin.off('data', onData);
    stdin.off('end', onEnd);
    stdout.off('resize', onResize);
    if (hasTty) stdin.setRawMode?.(false);
    stdin.pause();
  };
}

function isImpatient(interrupts: number[]): boolean {
  const now = performance.now();
  interrupts.push(now);
  if (interrupts.length > CTRL_C_MAX) interrupts.shift();
  return interrupts.length === CTRL_C_MAX && now - (interrupts[0] ?? 0) < 1_000;
}

function statusOf({ status, signal }: ReturnType<typeof parseExit>): number {
  if (status !== null) return status;
  const numbers: Readonly<Record<string, number>> = constants.signals;
  return 128 + (numbers[signal ?? ''] ?? 0);
}

function errorOf(payload: Buffer): CliError {
  const { message, hint } = parseRecord(payload, 'error');
  return new CliError(typeof message === 'string' ? message : 'The dyno could not be started', {
    hint: typeof hint === 'string' ? hint : undefined,
  });
}

function lost(cause: unknown): CliError {
  const hint = 'Its process was told to hang up. `kith ps` shows whether it still runs';
  return new CliError('The connection to the dyno was lost', { hint, cause });
}
